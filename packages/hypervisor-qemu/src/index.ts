export { QEMU_CONTROL, type QemuControl } from './control/chosenProtection.js';
export type * from './control/checkpointControl.js';
export type * from './control/checkpointCosts.js';
export type * from './control/controlTarget.js';
export { GdbClient, type GdbOptions } from './gdb/gdbClient.js';
export { defaultMachinesFolder } from './process/machineFolder.js';
export { checkMachineOptions } from './machineOptions.js';
export type { QemuHypervisorOptions, QemuMachineOptions } from './machineOptions.js';
export { QemuHypervisor } from './qemuHypervisor.js';
export type { QemuMachine } from './qemuMachine.js';
export { QmpClient, type QemuVersion, type QmpEvent, type QmpOptions } from './qmp/qmpClient.js';
export { claimName } from './process/nameClaim.js';
export { endMachine, findMachines, type FoundMachine } from './process/runningMachines.js';
export type { MachineState } from './process/stateFile.js';
export { describedRegisters, type DescribedRegister } from './gdb/targetDescription.js';
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
export { buildNativeLibrary, type NativeLibraryOptions } from './process/nativeLibrary.js';
export { openControl } from './control/openControl.js';
