import { RmkError } from '@rmk/core';

/** `RMK_ERR_STATE`: an operation on a VM after it was closed. */
export function closedError(vm: string): RmkError {
  return new RmkError('RMK_ERR_STATE', `VM ${JSON.stringify(vm)} has been closed; create a new one`);
}

/** `RMK_ERR_STATE`: a rollback of a VM that runs. */
export function runningError(vm: string): RmkError {
  return new RmkError('RMK_ERR_STATE', `VM ${JSON.stringify(vm)} is running; suspend it before the rollback`);
}

/** `RMK_ERR_STATE`: an exception for a VM that its guest has switched off. */
export function offError(vm: string): RmkError {
  return new RmkError('RMK_ERR_STATE', `VM ${JSON.stringify(vm)} is off; restart it or roll it back first`);
}

/** `RMK_ERR_UNKNOWN`: a name that the VM does not have. `what`: `'register'`, `'signal'`, `'device'`. */
export function unknownNameError(vm: string, what: string, name: string, known: readonly string[]): RmkError {
  return new RmkError(
    'RMK_ERR_UNKNOWN',
    `VM ${JSON.stringify(vm)} has no ${what} ${JSON.stringify(name)}; it has ${known.join(', ') || 'none'}`,
  );
}

/** `RMK_ERR_INPUT`: a page log of another VM. */
export function foreignLogError(vm: string): RmkError {
  return new RmkError('RMK_ERR_INPUT', `the page log was not written by VM ${JSON.stringify(vm)}`);
}

/** `RMK_ERR_INPUT`: a context that was not saved when the oldest of the page logs was opened. */
export function foreignContextError(): RmkError {
  return new RmkError(
    'RMK_ERR_INPUT',
    'the context does not belong to the oldest of the page logs; pass both as one checkpoint returned them',
  );
}

/** `RMK_ERR_LOGDAMAGED`: the context of the target fails its checksum. */
export function damagedContextError(): RmkError {
  return new RmkError(
    'RMK_ERR_LOGDAMAGED',
    'the saved context fails its checksum; nothing was changed: roll back to another checkpoint, or restart',
  );
}

/** `RMK_ERR_LOGDAMAGED`: saved pages that the rollback needs fail their checksums. */
export function damagedPagesError(frames: readonly number[]): RmkError {
  return new RmkError(
    'RMK_ERR_LOGDAMAGED',
    `the saved contents of page frames ${frames.join(', ')} fail their checksum, and no older log within the ` +
      'rollback holds them; nothing was changed: roll back to a newer checkpoint, or restart',
  );
}

/** `RMK_ERR_UNKNOWN`: a page that the log has no entry for. */
export function absentFrameError(frame: number): RmkError {
  return new RmkError('RMK_ERR_UNKNOWN', `page frame ${frame} is not in the page log`);
}
