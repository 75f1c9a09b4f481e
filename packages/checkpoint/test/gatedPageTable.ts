import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTING,
  definePlugin,
  P_PTABLE,
  provide,
  VIRTUAL_MACHINE,
  type Bus,
  type Checkpointed,
  type EpochPlan,
  type Plugin,
  type VirtualMachine,
} from '@rmk/core';
import { PageTable } from '@rmk/pin-ptable';
import { inject, injectable } from 'tsyringe';

/** What happens once, between the driver's checkpoint and the agent's knowing of it. */
export class Gate {
  during: (() => void) | undefined;

  pass(): void {
    const { during } = this;
    this.during = undefined;
    during?.();
  }
}

/** A third party's P_PTABLE around the machine, with a {@link Gate}. */
export function gatedPageTable(gate: Gate): Plugin {
  @injectable()
  class GatedPageTable extends PageTable {
    constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
      super(machine, bus);
    }

    override async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
      const checkpointed = await super.checkpoint(plan);
      gate.pass();
      return checkpointed;
    }
  }

  return definePlugin({
    name: 'rmk-plugin-gated-ptable',
    version: '1.0.0',
    rmk: '^0.1.0',
    requires: [VIRTUAL_MACHINE],
    provides: [provide(P_PTABLE, GatedPageTable), provide(CHECKPOINTING, GatedPageTable)],
  })();
}
