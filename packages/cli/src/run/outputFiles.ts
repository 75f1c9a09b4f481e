import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, RmkError } from '@rmk/core';

interface GuestOutput {
  readonly name: string;
  readonly committedOutput: Uint8Array;
  readonly wireOutput: Uint8Array;
}

export interface OutputFiles {
  /** Writes `<guest>.committed` and `<guest>.wire`, and gives what failed. */
  write(guest: GuestOutput): readonly string[];
}

/** Makes the directory. `RMK_ERR_INPUT` where that cannot be done. */
export function outputFiles(directory: string): OutputFiles {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `output.directory: ${directory} cannot be made (${messageOf(error)}): name another`,
    );
  }
  return {
    write: ({ name, committedOutput, wireOutput }) => [
      ...writeOutput(join(directory, `${name}.committed`), committedOutput),
      ...writeOutput(join(directory, `${name}.wire`), wireOutput),
    ],
  };
}

function writeOutput(path: string, data: Uint8Array): readonly string[] {
  try {
    writeFileSync(path, data);
    return [];
  } catch (error) {
    return [`${path} could not be written: ${messageOf(error)}`];
  }
}
