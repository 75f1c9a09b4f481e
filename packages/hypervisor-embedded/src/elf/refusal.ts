import { RmkError } from '@rmk/core';

/** The error for a file that cannot be run. */
export function refusal(source: string, reason: string): RmkError {
  return new RmkError('RMK_ERR_ELF', `'${source}' cannot be run: ${reason}`);
}
