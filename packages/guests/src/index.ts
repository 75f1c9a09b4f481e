export { BOOT_FILE_ADDRESS, BOOT_FILE_MAX_BYTES, bootFile, type BootFile } from './bootFile.js';
export { GUESTS, readGuest, type Guest, type GuestName } from './guests.js';
export { PROGRAMS, programRounds, readProgram, type ProgramName } from './programs.js';
export { ServerModel } from './serverModel.js';
export {
  WORKLOADS,
  readWorkload,
  type DirtyPageClass,
  type Workload,
  type WorkloadName,
} from './workloads.js';
