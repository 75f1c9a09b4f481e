import { RmkError } from '@rmk/core';
import type { ControlEvents, ControlOptions } from './checkpointControl.js';
import type { ControlTarget } from './controlTarget.js';
import { LibraryControl } from './libraryControl.js';

/** The library in QEMU calls QEMU's own functions, in the thread of the vCPU and in the main loop. */
export class InProcessControl extends LibraryControl {
  readonly kind = 'in-process';
  readonly tracker = 'dirty-bitmap';

  /** Throws `RMK_ERR_HYPERVISOR` if this QEMU is unknown, with the reason; `RMK_ERR_MEMORY` without room. */
  static async open(
    target: ControlTarget,
    options: ControlOptions,
    events: ControlEvents,
  ): Promise<InProcessControl> {
    const { connection, settings } = await LibraryControl.start(
      'inProcess',
      target,
      options,
      events,
      (hello) => {
        if (!hello.inProcess) throw new RmkError('RMK_ERR_HYPERVISOR', hello.whyNot);
      },
    );
    return new InProcessControl(connection, settings, target);
  }
}
