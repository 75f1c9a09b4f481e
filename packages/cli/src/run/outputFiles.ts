import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, RmkError } from '@rmk/core';
import type { GuestFiles } from './guestOutput.js';

/** Makes the directory, and names the files of each guest in it. Throws `RMK_ERR_INPUT` where that cannot be done. */
export function outputFiles(directory: string): (guest: string) => GuestFiles {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `output.directory: ${directory} cannot be made (${messageOf(error)}): name another`,
    );
  }
  return (guest) => ({
    committed: join(directory, `${guest}.committed`),
    wire: join(directory, `${guest}.wire`),
  });
}
