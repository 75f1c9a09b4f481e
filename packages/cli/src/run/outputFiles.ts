import { join } from 'node:path';
import { messageOf, RmkError } from '@rmk/core';
import { makeFolder } from '../makeFolder.js';
import type { GuestFiles } from './guestOutput.js';

/** Makes the directory, and names the files of each guest in it. Throws `RMK_ERR_INPUT` where that cannot be done. */
export function outputFiles(directory: string): (guest: string) => GuestFiles {
  try {
    makeFolder(directory);
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
