import { crc32 } from 'node:zlib';
import { PAGE_BYTES, pathText, RmkError, type Problem } from '@rmk/core';
import { boardTree } from './devices/boardTree.js';
import { fitToRam, type ElfImage } from './elf/elf.js';
import { parseProgram } from './elf/program.js';
import type { CheckedMachineOptions } from './machineOptions.js';

/** Bytes laid into RAM before the guest starts, besides its program: the `-device loader` of QEMU. */
export interface BootData {
  /** Guest-physical. */
  readonly address: number;
  readonly data: Uint8Array;
}

/** What a VM is booted from. It is kept, since a restart lays it out again. */
export interface BootPlan {
  readonly image: ElfImage;
  readonly bootData: readonly BootData[];
  /** What a1 points at, if anything. */
  readonly deviceTree: BootData | undefined;
  /** Address of the word in which the guest's kernel keeps its current task, if that is not mscratch. */
  readonly currentTask: number | undefined;
}

interface Ram {
  readonly base: number;
  readonly bytes: number;
}

/** Equal for two VMs that are booted alike. */
export function identityOf(
  { image, bootData, deviceTree, currentTask }: BootPlan,
  pages: number,
  nsPerCycle: number,
): string {
  const loaded = [...image.segments, ...bootData, ...(deviceTree === undefined ? [] : [deviceTree])];
  const sums = loaded.map(({ address, data }) => `${address}:${data.length}:${crc32(data)}`);
  return [pages, nsPerCycle, image.entry, currentTask ?? '', ...sums].join(' ');
}

/** `RMK_ERR_ELF` for a program that cannot be run, `RMK_ERR_INPUT` with every other problem and its path. */
export function bootPlan(options: CheckedMachineOptions, ram: Ram): BootPlan {
  const { name, elf, elfSource = `the ELF of VM ${JSON.stringify(name)}` } = options;
  const image = fitToRam(parseProgram(elf.slice(), elfSource), ram.base, ram.bytes);
  const bootData = options.bootData.map(({ address, data }) => ({ address, data: data.slice() }));
  const problems = outsideRam(bootData, ram);
  const deviceTree = deviceTreeOf(options, image, bootData, ram, problems);
  const currentTask = currentTaskOf(options.contextSwitch, image, ram, problems);
  if (problems.length > 0)
    throw new RmkError('RMK_ERR_INPUT', `VM ${JSON.stringify(name)} cannot be made`, { problems });
  return { image, bootData, deviceTree, currentTask };
}

function outsideRam(bootData: readonly BootData[], { base, bytes }: Ram): Problem[] {
  return bootData.flatMap(({ address, data }, index) =>
    address >= base && address + data.length <= base + bytes
      ? []
      : [
          {
            path: pathText(['bootData', index]),
            message:
              `${data.length} bytes at ${hex(address)} do not lie in RAM ` +
              `(${hex(base)} to ${hex(base + bytes - 1)}); give the VM more memoryBytes or move them`,
          },
        ],
  );
}

/** In the last pages of RAM. */
function deviceTreeOf(
  { deviceTree, bootArgs }: CheckedMachineOptions,
  image: ElfImage,
  bootData: readonly BootData[],
  { base, bytes }: Ram,
  problems: Problem[],
): BootData | undefined {
  if (!(deviceTree ?? (image.format === 'kernel-image' || bootArgs !== undefined))) {
    if (bootArgs !== undefined)
      problems.push({
        path: 'bootArgs',
        message: 'they are part of the device tree; leave `deviceTree: false` out',
      });
    return undefined;
  }
  const data = boardTree({
    memoryBase: base,
    memoryBytes: bytes,
    ...(bootArgs === undefined ? {} : { bootArgs }),
  });
  const address = base + bytes - Math.ceil(data.length / PAGE_BYTES) * PAGE_BYTES;
  const taken = [
    ...image.segments.map((segment) => segment.address + segment.memoryBytes),
    ...bootData.map((loaded) => loaded.address + loaded.data.length),
  ];
  if (Math.max(...taken) > address) {
    problems.push({
      path: 'deviceTree',
      message:
        `the ${data.length} bytes at the end of RAM, from ${hex(address)} on, are taken; ` +
        'give the VM more memoryBytes, or move what lies there',
    });
  }
  return { address, data };
}

function currentTaskOf(
  contextSwitch: CheckedMachineOptions['contextSwitch'],
  { symbols, source }: ElfImage,
  { base, bytes }: Ram,
  problems: Problem[],
): number | undefined {
  if (contextSwitch === undefined) return undefined;
  const start = 'symbol' in contextSwitch ? symbols.get(contextSwitch.symbol) : contextSwitch.address;
  if (start === undefined) {
    const why = symbols.size === 0 ? 'it has no symbols; give { address }' : 'check its spelling with nm';
    const symbol = JSON.stringify('symbol' in contextSwitch ? contextSwitch.symbol : '');
    problems.push({ path: 'contextSwitch.symbol', message: `'${source}' has no symbol ${symbol}: ${why}` });
    return undefined;
  }
  const at = start + ('offset' in contextSwitch ? contextSwitch.offset : 0);
  if (at % 4 === 0 && at >= base && at + 4 <= base + bytes) return at;
  problems.push({
    path: 'contextSwitch',
    message: `${hex(at)} is no aligned word of RAM; name a pointer-sized variable`,
  });
  return undefined;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
