import {
  CHECKPOINTING,
  definePlugin,
  P_PTABLE,
  provide,
  VIRTUAL_MACHINE,
  BUS,
  type Bus,
  type VirtualMachine,
} from '@rmk/core';
import { PageTable } from '@rmk/pin-ptable';
import { inject, injectable } from 'tsyringe';

/**
 * P_PTABLE of a hypervisor in another process: a reading may take its time, and other things happen meanwhile. It
 * counts what is read.
 */
export function gatedPageTable() {
  const read: number[] = [];
  let open = Promise.resolve();
  let begun: () => void = () => undefined;
  let reading = new Promise<void>((resolve) => (begun = resolve));

  @injectable()
  class GatedPageTable extends PageTable {
    constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
      super(machine, bus);
    }

    override async read(address: number, bytes: number): Promise<Uint8Array> {
      read.push(bytes);
      const data = await super.read(address, bytes);
      begun();
      await open;
      return data;
    }
  }

  return {
    read,
    /** The readings from now on wait until what this gives is called. */
    hold(): () => void {
      reading = new Promise((resolve) => (begun = resolve));
      let release: () => void = () => undefined;
      open = new Promise((resolve) => (release = resolve));
      return release;
    },
    /** A reading has begun since `hold`. */
    reading: () => reading,
    plugin: definePlugin({
      name: 'rmk-plugin-gated-ptable',
      version: '1.0.0',
      rmk: '^0.2.0',
      requires: [VIRTUAL_MACHINE],
      provides: [provide(P_PTABLE, GatedPageTable), provide(CHECKPOINTING, GatedPageTable)],
    }),
  };
}
