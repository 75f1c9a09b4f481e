import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { expect, it } from 'vitest';
import {
  readDeviceTree,
  type TreeNode,
} from '../../packages/hypervisor-embedded/test/devices/readDeviceTree.js';
import { treeDumper } from '../../packages/hypervisor-embedded/test/kernelFixture.js';
import { describeOracle } from './qemu.js';
import { runUnderQemu } from './runUnderQemu.js';

const MEMORY_BYTES = 8 << 20;
const TIMEOUT = 30_000;
const KERNEL = treeDumper();

/** What the kernel put out: the hart's number, then the device tree. QEMU's tree has room left at its end. */
function passed(output: Uint8Array): { readonly hart: number | undefined; readonly tree: TreeNode } {
  return { hart: output[0], tree: readDeviceTree(output.slice(1)) };
}

describeOracle('a raw kernel Image', () => {
  it('oracle: finds in a0 and a1 what it finds under QEMU', { timeout: 2 * TIMEOUT }, async () => {
    const guest = { name: 'Image', elf: KERNEL, memoryBytes: MEMORY_BYTES };
    const { output, exitCode } = await runUnderQemu({ ...guest, timeout: TIMEOUT });
    const theirs = passed(output);
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine(guest);
    await hypervisor.run();
    const ours = passed(machine.committedOutput);

    expect([machine.exitCode, exitCode]).toEqual([0, 0]);
    expect(ours.hart).toBe(theirs.hart);
    const alike: readonly (readonly [node: string, texts: readonly string[], cells: readonly string[]])[] = [
      ['/memory@80000000', ['device_type'], ['reg']],
      ['/cpus', [], ['#address-cells', '#size-cells', 'timebase-frequency']],
      ['/cpus/cpu@0', ['device_type', 'compatible', 'status'], ['reg']],
      ['/cpus/cpu@0/interrupt-controller', ['compatible'], ['#interrupt-cells']],
      ['/soc', ['compatible'], ['#address-cells', '#size-cells']],
      ['/soc/test@100000', ['compatible'], ['reg']],
      ['/soc/clint@2000000', ['compatible'], []],
      ['/soc/serial@10000000', ['compatible'], ['clock-frequency']],
      ['/poweroff', ['compatible'], ['offset', 'value']],
      ['/chosen', ['stdout-path'], []],
      ['/', [], ['#address-cells', '#size-cells']],
    ];
    for (const [node, texts, cells] of alike) {
      for (const name of texts)
        expect(ours.tree.at(node).text(name), name).toBe(theirs.tree.at(node).text(name));
      for (const name of cells)
        expect(ours.tree.at(node).cells(name), name).toEqual(theirs.tree.at(node).cells(name));
    }
  });
});
