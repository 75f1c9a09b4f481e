import { RmkError, type VirtualMachine } from '@rmk/core';
import { QEMU_CONTROL, type QemuControl } from '@rmk/hypervisor-qemu';

/** The checkpoint control of a QEMU guest. Throws RMK_ERR_STATE for a VM of another driver. */
export function qemuControlOf(machine: VirtualMachine): QemuControl {
  const control = machine.extension(QEMU_CONTROL);
  if (control !== undefined) return control;
  throw new RmkError('RMK_ERR_STATE', `VM ${machine.name} does not belong to the QEMU driver`);
}
