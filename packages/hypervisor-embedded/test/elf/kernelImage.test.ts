import { describe, expect, it } from 'vitest';
import { parseProgram } from '../../src/elf/program.js';
import { EmbeddedHypervisor } from '../../src/embeddedHypervisor.js';
import type { EmbeddedMachine } from '../../src/embeddedMachine.js';
import type { MachineOptions } from '../../src/machineOptions.js';
import { readDeviceTree, type TreeNode } from '../devices/readDeviceTree.js';
import { assembledElf, exits } from '../guestFixtures.js';
import { treeDumper } from '../kernelFixture.js';

const MEBIBYTE = 1 << 20;
const RAM = 0x8000_0000;

/** Boots a kernel that puts out its device tree. */
async function dumped(
  options: Partial<MachineOptions> = {},
): Promise<{ readonly machine: EmbeddedMachine; readonly hart: number; readonly tree: TreeNode }> {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({
    name: 'linux',
    elf: treeDumper(),
    memoryBytes: 8 * MEBIBYTE,
    ...options,
  });
  await hypervisor.run();
  expect(machine.exitCode).toBe(0);
  const [hart = -1, ...tree] = machine.committedOutput;
  return { machine, hart, tree: readDeviceTree(Uint8Array.from(tree)) };
}

describe('a raw kernel Image', () => {
  it('is laid where its header says, entered at its beginning, and has no symbols', () => {
    const file = treeDumper({ textOffset: 0x40_0000, imageBytes: 0x10_0000 });
    const { format, entry, segments, symbols } = parseProgram(file, 'Image');
    expect([format, entry, symbols.size]).toEqual(['kernel-image', RAM + 0x40_0000, 0]);
    expect(segments).toEqual([
      { address: RAM + 0x40_0000, data: file, memoryBytes: 0x10_0000, headerBytes: 0 },
    ]);
  });

  it('takes at least its own length', () => {
    const file = treeDumper({ imageBytes: 0 });
    expect(parseProgram(file, 'Image').segments[0]?.memoryBytes).toBe(file.length);
  });

  it.each([
    ['big-endian', { flags: 1 }, /it is a big-endian kernel/],
    [
      'for 64 bits',
      { textOffset: 2 ** 31 },
      /bytes at offset 2147483648 of RAM, .* build the kernel for RV32/,
    ],
  ])('is refused where it is %s', (_, options, message) => {
    expect(() => parseProgram(treeDumper(options), 'Image')).toThrow(message);
    expect(() => parseProgram(treeDumper(options), 'Image')).toThrow(/^RMK_ERR_ELF: 'Image' cannot be run/);
  });

  it('is refused where it does not fit', () => {
    const options = {
      name: 'linux',
      elf: treeDumper({ imageBytes: 9 * MEBIBYTE }),
      memoryBytes: 8 * MEBIBYTE,
    };
    expect(() => new EmbeddedHypervisor().createMachine(options)).toThrow(/lies outside the guest's RAM/);
  });

  it('finds hart 0 in a0 and the board in a1', async () => {
    const { hart, tree } = await dumped({ bootArgs: 'console=ttyS0' });
    expect(hart).toBe(0);
    expect(tree.at('/memory@80000000').cells('reg')).toEqual([0, RAM, 0, 8 * MEBIBYTE]);
    expect(tree.at('/chosen').text('bootargs')).toBe('console=ttyS0');
    expect(tree.at('/chosen').text('stdout-path')).toBe('/soc/serial@10000000');
    expect(tree.at('/cpus').cells('timebase-frequency')).toEqual([10_000_000]);
    expect(tree.at('/cpus/cpu@0').text('riscv,isa')).toMatch(/^rv32imac/);
    expect(tree.at('/cpus/cpu@0').text('mmu-type')).toBe('riscv,none');
    const interrupts = tree.at('/cpus/cpu@0/interrupt-controller').cells('phandle')[0];
    expect(tree.at('/soc/clint@2000000').cells('interrupts-extended')).toEqual([
      interrupts,
      3,
      interrupts,
      7,
    ]);
    const poweroff = tree.at('/poweroff');
    expect(poweroff.cells('regmap')).toEqual(tree.at('/soc/test@100000').cells('phandle'));
    expect([poweroff.cells('offset'), poweroff.cells('value')]).toEqual([[0], [0x5555]]);
  });

  it('is booted again by a restart as it was at first', async () => {
    const { machine } = await dumped();
    const first = machine.committedOutput.slice();
    await machine.restart();
    const hypervisor = new EmbeddedHypervisor();
    void hypervisor;
    expect((await machine.readRegister('a1')) > 0n).toBe(true);
    expect(await machine.read(Number(await machine.readRegister('a1')), 4)).toEqual(
      Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed),
    );
    expect(first.length).toBeGreaterThan(100);
  });
});

describe('the device tree', () => {
  it('is not laid into RAM for an ELF, unless asked for', async () => {
    const options = { name: 'vm', elf: assembledElf(exits(0)), memoryBytes: MEBIBYTE };
    const without = new EmbeddedHypervisor().createMachine(options);
    expect(await without.readRegister('a1')).toBe(0n);
    const withTree = new EmbeddedHypervisor().createMachine({ ...options, deviceTree: true });
    const at = Number(await withTree.readRegister('a1'));
    expect(await withTree.read(at, 4)).toEqual(Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed));
  });

  it('can be left out for a kernel that brings its own', async () => {
    const options = { name: 'vm', elf: treeDumper(), memoryBytes: MEBIBYTE, deviceTree: false };
    expect(await new EmbeddedHypervisor().createMachine(options).readRegister('a1')).toBe(0n);
  });

  it.each([
    [{ deviceTree: false, bootArgs: 'quiet' }, /bootArgs: they are part of the device tree/],
    [
      { elf: treeDumper({ imageBytes: MEBIBYTE }) },
      /deviceTree: the \d+ bytes at the end of RAM, from 0x800ff000 on, are taken/,
    ],
    [
      { bootData: [{ address: RAM + MEBIBYTE - 1, data: Uint8Array.of(1) }] },
      /deviceTree: .* are taken; give the VM more memoryBytes/,
    ],
  ])('is refused with %o', (options, message) => {
    const all = { name: 'vm', elf: treeDumper(), memoryBytes: MEBIBYTE, ...options };
    const make = (): unknown => new EmbeddedHypervisor().createMachine(all);
    expect(make).toThrow(/^RMK_ERR_INPUT: VM "vm" cannot be made/);
    expect(make).toThrow(message);
  });
});
