import { RmkError, token } from '@rmk/core';
import { CheckpointCosts, type CheckpointCost, type RollbackCost } from './checkpointCosts.js';
import type { CheckpointControl, ControlEvents, PauseHandler } from './checkpointControl.js';
import type { ChosenControl, ControlChoice, ControlTarget, OpenControl } from './controlTarget.js';

/** What only the QEMU driver has: who takes the checkpoints of a VM, and what they cost. */
export interface QemuControl {
  readonly kind: CheckpointControl['kind'] | 'none';
  readonly tracker: CheckpointControl['tracker'] | 'none';
  /** For people: the reason for this choice. */
  readonly why: string;
  /** The process of QEMU. */
  readonly pid: number;
  /** Folder that other RMK processes attach to. Undefined for a QEMU started by hand. */
  readonly folder: string | undefined;
  /** The last checkpoints, oldest first. Those that rollbacks left at their targets are not among them. */
  readonly checkpoints: readonly CheckpointCost[];
  /** The last rollbacks, oldest first, with their steps. */
  readonly rollbacks: readonly RollbackCost[];
  /** See {@link PauseHandler}. Throws `RMK_ERR_STATE` if the VM is unprotected. */
  onPause(handler: PauseHandler | undefined): Promise<void>;
}

export const QEMU_CONTROL = token<QemuControl>('QEMU_CONTROL');

/** How to protect a VM. */
export interface ProtectionSettings {
  readonly open: OpenControl;
  readonly choice: ControlChoice;
}

/** The control that takes the checkpoints of one VM, once it is chosen, and the reason for it. */
export class ChosenProtection {
  readonly costs = new CheckpointCosts();
  private chosen: ChosenControl | undefined;

  constructor(
    private readonly vm: string,
    /** Undefined for a VM that runs unprotected. */
    private readonly settings: ProtectionSettings | undefined,
  ) {}

  /** Chooses the control and tests it on the VM as it is now: best when it has booted. */
  async open(target: ControlTarget, events: ControlEvents): Promise<void> {
    if (this.settings === undefined) return;
    this.chosen = await this.settings.open(target, this.settings.choice, events);
  }

  get kind(): QemuControl['kind'] {
    return this.chosen?.control.kind ?? 'none';
  }

  get tracker(): QemuControl['tracker'] {
    return this.chosen?.control.tracker ?? 'none';
  }

  get why(): string {
    return this.chosen?.why ?? 'nothing takes checkpoints: the VM was started without protection';
  }

  /** Undefined while the VM is unprotected. */
  get current(): CheckpointControl | undefined {
    return this.chosen?.control;
  }

  /** Throws `RMK_ERR_STATE` while the VM is unprotected. */
  get control(): CheckpointControl {
    if (this.chosen !== undefined) return this.chosen.control;
    throw new RmkError('RMK_ERR_STATE', `VM ${JSON.stringify(this.vm)}: ${this.why}`);
  }

  /** Ends the protection; the guest runs on. */
  async close(): Promise<void> {
    await this.chosen?.control.close().catch(() => undefined);
  }
}
