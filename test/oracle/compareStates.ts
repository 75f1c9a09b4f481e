import { COMPARED_BITS, DEVICE_TREE_MAGIC } from './differences.js';
import { CONTROL_REGISTERS, hex, registerName, type ControlFile, type RegisterFile } from './registers.js';

const ALL_BITS = 0xffff_ffff;
const RAM_BASE = 0x8000_0000;
const SHOWN = 8;

/** A line for each register that is not as under QEMU. */
export function compareRegisters(
  ours: RegisterFile,
  theirs: RegisterFile,
  except: ReadonlySet<number> = new Set(),
): string[] {
  const differences: string[] = [];
  for (let index = 0; index < ours.length; index += 1) {
    if (ours[index] === theirs[index] || except.has(index)) continue;
    differences.push(difference(registerName(index), ours[index] ?? 0, theirs[index] ?? 0));
  }
  return differences;
}

export function compareControl(ours: ControlFile, theirs: ControlFile): string[] {
  return CONTROL_REGISTERS.flatMap((name) => {
    const bits = COMPARED_BITS[name] ?? ALL_BITS;
    return ((ours[name] ^ theirs[name]) & bits) === 0 ? [] : [difference(name, ours[name], theirs[name])];
  });
}

/** The first words of RAM that are not as under QEMU. */
export function compareMemory(ours: Uint8Array, theirs: Uint8Array): string[] {
  if (Buffer.compare(ours, theirs) === 0) return [];
  const [left, right] = [wordsOf(ours), wordsOf(theirs)];
  const differences: string[] = [];
  for (let index = 0; index < left.length && differences.length < SHOWN; index += 1) {
    if (left[index] === right[index]) continue;
    differences.push(
      difference(`the word at ${hex(RAM_BASE + 4 * index)}`, left[index] ?? 0, right[index] ?? 0),
    );
  }
  return differences;
}

/**
 * Copies QEMU's device tree to where it lies in its RAM: it is the first thing there that the guest's files did not
 * bring, and with what is left of making it the last.
 */
export function takeDeviceTree(ours: Uint8Array, theirs: Uint8Array): void {
  const [left, right] = [wordsOf(ours), wordsOf(theirs)];
  const first = 4 * left.findIndex((word, index) => word !== right[index]);
  if (first < 0) return;
  const magic = new DataView(theirs.buffer, theirs.byteOffset).getUint32(first);
  if (magic === DEVICE_TREE_MAGIC) ours.set(theirs.subarray(first), first);
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function difference(what: string, ours: number, theirs: number): string {
  return `${what} is ${hex(ours)}, under QEMU ${hex(theirs)}`;
}
