import { createRequire } from 'node:module';
import { PAGE_BYTES } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor, RAM_BASE, type EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { V86 } from 'v86';
import { spreadOf, type Spread } from './spread.js';

export interface StateBenchmarkOptions {
  readonly rounds: number;
  /** Guest memory, in MiB. */
  readonly memory: number;
  /** Pages written between two checkpoints. */
  readonly pages: number;
}

export interface StateFigures {
  readonly way: string;
  /** Host time in µs. */
  readonly us: Spread;
  /** To the checkpoint, in the same round. */
  readonly ratio: Spread;
  /** Bytes that it keeps. */
  readonly bytes: number;
}

export interface StateBenchmarkResult extends StateBenchmarkOptions {
  readonly node: string;
  readonly ways: readonly StateFigures[];
}

const MEBIBYTE = 1 << 20;
/** The rest is left for the guest's own program, and for what v86 lays below 1 MiB. */
const FILLED = 0.75;
const UPDATED = { preSave: 'updated' } as const;

/** A way of saving a VM's state; gives the bytes that it keeps. */
interface Way {
  readonly name: string;
  readonly save: () => Promise<number>;
}

/**
 * What it takes to save the state of a VM with the same memory, three quarters of it not zero: a checkpoint after some
 * pages were written, a copy of all memory, a snapshot of the embedded hypervisor, and a state of v86. In each round
 * each has its turn.
 */
export async function stateBenchmark(options: StateBenchmarkOptions): Promise<StateBenchmarkResult> {
  const { rounds, memory, pages } = options;
  const memoryBytes = memory * MEBIBYTE;
  const content = contentOf(FILLED * memoryBytes);
  await using hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({ name: 'vm', elf: readGuest('tasks'), memoryBytes });
  await machine.write(RAM_BASE + memoryBytes - content.length, content);
  const emulator = await startedV86(memoryBytes);
  try {
    emulator.write_memory(content, memoryBytes - content.length);
    const ways = [...waysOf(machine, pages), saveStateOf(emulator)];
    // What compiles, compiles here.
    for (const { save } of ways) await save();
    const taken = ways.map((): number[] => []);
    const bytes = ways.map(() => 0);
    for (let round = 0; round < rounds; round++) {
      await dirty(machine, pages);
      for (const [index, { save }] of ways.entries()) {
        const started = performance.now();
        bytes[index] = await save();
        taken[index]?.push((performance.now() - started) * 1000);
      }
    }
    const [checkpoint = []] = taken;
    return {
      ...options,
      node: process.version,
      ways: ways.map(({ name }, index) => ({
        way: name,
        us: spreadOf(taken[index] ?? []),
        ratio: spreadOf((taken[index] ?? []).map((us, round) => us / (checkpoint[round] ?? Number.NaN))),
        bytes: bytes[index] ?? 0,
      })),
    };
  } finally {
    await emulator.destroy();
  }
}

function waysOf(machine: EmbeddedMachine, pages: number): readonly Way[] {
  const memoryBytes = machine.memoryPages * PAGE_BYTES;
  let last: Awaited<ReturnType<EmbeddedMachine['checkpoint']>> | undefined;
  return [
    {
      name: `checkpoint, ${pages} pages written`,
      save: async () => {
        const taken = await machine.checkpoint(UPDATED);
        last?.log.release();
        last = taken;
        return taken.log.pages * PAGE_BYTES + taken.context.bytes;
      },
    },
    { name: 'copy of all memory', save: async () => (await machine.read(RAM_BASE, memoryBytes)).length },
    { name: 'snapshot', save: async () => machine.snapshot().frames.length * PAGE_BYTES },
  ];
}

function saveStateOf(emulator: V86): Way {
  return { name: 'v86 save_state', save: async () => (await emulator.save_state()).byteLength };
}

/** It runs nothing: a state is saved, and its memory written, without a BIOS too. */
async function startedV86(memoryBytes: number): Promise<V86> {
  const emulator = new V86({
    wasm_path: createRequire(import.meta.url).resolve('v86/build/v86.wasm'),
    memory_size: memoryBytes,
    vga_memory_size: 0,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
    autostart: false,
  });
  await new Promise<void>((resolve) => emulator.add_listener('emulator-ready', () => resolve()));
  return emulator;
}

/** No page is all zero, which v86 would leave out. */
function contentOf(bytes: number): Uint8Array {
  return new Uint8Array(
    Uint32Array.from({ length: bytes / 4 }, (_, index) => Math.imul(index + 1, 0x9e37_79b1)).buffer,
  );
}

/** Writes a byte into so many pages of the second half of memory. */
async function dirty(machine: EmbeddedMachine, pages: number): Promise<void> {
  const first = machine.memoryPages >>> 1;
  for (let page = 0; page < pages; page++)
    await machine.write(RAM_BASE + (first + page) * PAGE_BYTES, Uint8Array.of(page));
}
