export type * from './checkpointControl.js';
export type * from './controlTarget.js';
export { GdbClient, type GdbOptions } from './gdbClient.js';
export { defaultMachinesFolder } from './machineFolder.js';
export { checkMachineOptions } from './machineOptions.js';
export type { QemuHypervisorOptions, QemuMachineOptions } from './machineOptions.js';
export { QemuHypervisor } from './qemuHypervisor.js';
export { QEMU_CONTROL, type QemuControl, type QemuMachine } from './qemuMachine.js';
export { QmpClient, type QemuVersion, type QmpEvent, type QmpOptions } from './qmpClient.js';
export { findMachines, type FoundMachine } from './runningMachines.js';
export type { MachineState } from './stateFile.js';
export { describedRegisters, type DescribedRegister } from './targetDescription.js';
export { GUEST_JOBS, type GuestJob } from './linuxGuest/guestDescription.js';
export {
  commandNeed,
  commandPath,
  installMissing,
  missingNeeds,
  type HostNeed,
  type Progress,
  type SetUp,
} from './linuxGuest/hostPackages.js';
export {
  findLinuxGuest,
  linuxGuest,
  type LinuxGuest,
  type LinuxGuestOptions,
} from './linuxGuest/linuxGuest.js';
export {
  GUEST_FAULTS,
  GuestShell,
  type CommandResult,
  type GuestFault,
  type JobRound,
} from './linuxGuest/guestShell.js';
export { buildNativeLibrary, type NativeLibraryOptions } from './nativeLibrary.js';
export { openControl } from './openControl.js';
