import { buildNativeLibrary, openControl, type ControlKind } from '@rmk/hypervisor-qemu';
import { onTestFinished } from 'vitest';
import { LibraryControl } from '../src/control/libraryControl.js';
import type { ChosenControl } from '../src/control/controlTarget.js';
import { checkMachineOptions, pagesOf } from '../src/machineOptions.js';
import { QemuProcess } from '../src/process/qemuProcess.js';
import { QemuMachine } from '../src/qemuMachine.js';
import { bootSectorGuest } from './guest/bootSectorGuest.js';
import { MORTAL_QEMU } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

/** A protected VM, and the control that takes its checkpoints. */
export interface OpenMachine {
  readonly machine: QemuMachine;
  readonly control: LibraryControl;
}

/** A machine put together by hand, for tests that need its control. */
export async function openMachine(kind: ControlKind): Promise<OpenMachine> {
  const options = checkMachineOptions(bootSectorGuest('guest'));
  const process = await QemuProcess.start(options, {
    command: MORTAL_QEMU,
    folder: await temporaryFolder('/dev/shm'),
    library: await buildNativeLibrary(),
  });
  const chosen: ChosenControl[] = [];
  const machine = await QemuMachine.over(process, {
    schedulingInterval: '20ms',
    protection: {
      open: async (...given) => {
        const control = await openControl(...given);
        chosen.push(control);
        return control;
      },
      choice: { kind, tracker: 'auto', audit: false, logPages: pagesOf(options.memoryBytes) },
    },
  });
  onTestFinished(() => machine.close());
  await machine.run();
  await machine.protect();
  const control = chosen[0]?.control;
  if (control instanceof LibraryControl) return { machine, control };
  throw new Error('nothing takes the checkpoints of this VM');
}
