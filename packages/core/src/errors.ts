/** Every error code with its meaning. The message of each error says how to fix it. */
export const ERROR_CODES = {
  RMK_ERR_OPTIONS: 'an option of a plugin is unknown, missing or invalid',
  RMK_ERR_VERSION: 'a plugin does not work with this version of RMK',
  RMK_ERR_MISSING: 'a plugin requires a token that no plugin of the domain provides',
  RMK_ERR_DUPLICATE: 'two plugins of a domain have the same name or provide the same token',
  RMK_ERR_EXCLUSIVE: 'a plugin requires a right that another plugin of the domain holds',
  RMK_ERR_CYCLE: 'plugins wait for each other',
  RMK_ERR_CAPABILITY: 'a plugin needs something that the hypervisor cannot do',
  RMK_ERR_REQUIRED: 'a plugin cannot be removed, because others require what it provides',
  RMK_ERR_UNKNOWN: 'there is no plugin, token, register, device or file of that name',
  RMK_ERR_MANIFEST: 'a plugin manifest is malformed',
  RMK_ERR_REFUSED: 'several plugins were refused; the problems are listed',
  RMK_ERR_START: 'a plugin failed while it was being constructed or started',
  RMK_ERR_PROVIDES: 'an object that a plugin provides lacks what its token promises',
  RMK_ERR_DEPENDENCY: 'a plugin cannot start, because one that provides what it requires has failed',
  RMK_ERR_STOP: 'one or more plugins failed while they were being stopped',
  RMK_ERR_EVENT: 'an event was named that nobody in the domain declares',
  RMK_ERR_INACTIVE: 'what was called belongs to a plugin that was removed, has failed or is quarantined',
  RMK_ERR_STATE: 'the operation is not possible in the present state',
  RMK_ERR_GOLDEN: 'a golden run fails its own steady-state check',
  RMK_ERR_JOURNAL: 'a journal is damaged, in use, or of another campaign',
  RMK_ERR_INPUT: 'an argument, a file or a setting is invalid',
  RMK_ERR_ELF: 'the ELF file cannot be run',
  RMK_ERR_ADDRESS: 'an address lies outside the memory of the guest',
  RMK_ERR_LOGFULL: 'the page logs have no room for the checkpoint',
  RMK_ERR_LOGDAMAGED: 'a page log or a context that a rollback needs fails its checksum',
  RMK_ERR_RELEASED: 'the page log or context was released before',
  RMK_ERR_HYPERVISOR: 'the hypervisor failed to start, rejected a request, or sent an invalid response',
  RMK_ERR_GONE: 'the hypervisor of the VM is gone',
  RMK_ERR_PLATFORM: 'the operating system or the processor of this host is not supported',
  RMK_ERR_NOTINSTALLED: 'a program or package that is needed is not installed on this host',
  RMK_ERR_PACKAGE: 'a Debian package of the demo guest is not found, or lacks a file',
  RMK_ERR_COMPILER: 'the native library cannot be built',
  RMK_ERR_MEMORY: 'there is no room for the memory that is needed',
  RMK_ERR_TIMEOUT: 'a plugin or the hypervisor did not do in time what it was asked to',
  RMK_ERR_UNPROTECTED: 'there is no checkpoint to roll back to',
  RMK_ERR_CHAIN: 'a Markov chain is malformed, or lacks what was asked of it',
  RMK_ERR_NUMERIC: 'a computation would not give a sound number',
} as const;

export type RmkErrorCode = keyof typeof ERROR_CODES;

/** Every code of an EVT_WARNING, with what it means. */
export const WARNING_CODES = {
  RMK_WARN_HISTORY: 'the retained checkpoints do not reach back as far as a detector needs',
  RMK_WARN_RISK: 'a rollback target may hold the error with a higher probability than is accepted',
  RMK_WARN_UNDECLARED: 'a detector reported an error of a kind that it does not declare',
  RMK_WARN_VCPU: 'the VM could not be suspended or resumed',
  RMK_WARN_HELD: 'code of a plugin holds the VM, and has not finished',
  RMK_WARN_FAILED: 'a plugin failed to start, and the domain goes on without it',
  RMK_WARN_SIGNS: 'a detector does not see the signs of progress that it waits for',
  RMK_WARN_HEARTBEAT: 'a guest closed the device on which it beats',
  RMK_WARN_CRASHTABLE: 'the table of ordinary exceptions may not fit the guest',
} as const;

export type WarningCode = keyof typeof WARNING_CODES;
