// What a page fault, a checkpoint and a rollback cost against the pages written, beside a plain copy of as many pages,
// and by how much the same pages in a larger memory cost more. `node bench/checkpointCosts.mjs`, after a build.
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '../dist/index.js';
import { GuestMemory } from '../dist/memory/guestMemory.js';
import { spread, write } from './measure.mjs';

const MEBIBYTE = 1 << 20;
const SIZES = [16 * MEBIBYTE, 128 * MEBIBYTE, 1024 * MEBIBYTE];
const PAGES_WRITTEN = [1, 13, 100, 1000];
const ROUNDS = 150;
/** Rounds until what is measured is compiled, once for all, and for each number of pages. */
const COMPILING = 3000;
const WARM_UP = 10;
const RAM = 0x8000_0000;
const NONE = { preSave: 'none' };
const UPDATED = { preSave: 'updated' };

/** So many different frames, all over the smallest memory: the same ones in each. */
function framesOf(count) {
  const pages = SIZES[0] / 4096;
  return Array.from({ length: count }, (_, i) => (64 + i * Math.floor((pages - 64) / count)) % pages);
}

function timed(operation) {
  const started = performance.now();
  operation();
  return (performance.now() - started) * 1000;
}

async function timedAsync(operation) {
  const started = performance.now();
  const result = await operation();
  return [(performance.now() - started) * 1000, result];
}

/** Measures a size of memory once, and again, and again. */
async function sized(memoryBytes, count) {
  const frames = framesOf(count);
  const memory = new GuestMemory(memoryBytes, 4 * count);
  for (const frame of frames) memory.write(frame * 4096, Uint8Array.of(1));
  const bytes = new Uint8Array(memory.wasmMemory.buffer);
  const hypervisor = new EmbeddedHypervisor();
  const logPages = 4 * count;
  const machine = hypervisor.createMachine({ name: 'vm', elf: readGuest('tasks'), memoryBytes, logPages });
  const addresses = frames.map((frame) => RAM + frame * 4096);
  const data = Uint8Array.of(1);
  const dirty = async () => {
    for (const address of addresses) await machine.write(address, data);
  };
  await dirty();
  await machine.suspend();
  let { context, log } = await machine.checkpoint(NONE);
  const checkpoint = async (operation) => {
    await dirty();
    const [cost, next] = await timedAsync(operation);
    log.release();
    ({ context, log } = next);
    return cost;
  };
  return {
    measure: async () => {
      const opened = memory.nextEpoch(NONE);
      const faults = timed(() => {
        for (const frame of frames) memory.beforeWrite(frame);
      });
      memory.takeFaulted();
      memory.area.release(opened.log);
      const none = await checkpoint(() => machine.checkpoint(NONE));
      const updated = await checkpoint(() => machine.checkpoint(UPDATED));
      const rollback = await checkpoint(() => machine.rollback({ context, logs: [log] }, NONE));
      // The same pages to where a log would have them, by `TypedArray.set`, without checksums.
      const copy = timed(() => {
        for (let i = 0; i < frames.length; i++)
          bytes.set(bytes.subarray(frames[i] * 4096, (frames[i] + 1) * 4096), memoryBytes + i * 4096);
      });
      return { fault: faults / count, none, updated, rollback, copy, cowb: faults + none };
    },
    close: () => hypervisor.close(),
  };
}

const FIGURES = ['fault', 'none', 'updated', 'rollback', 'copy'];
const shown = (numbers, width) => {
  const { low, median, high } = spread(numbers);
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`.padEnd(width);
};
const times = (numbers) => {
  const { low, median, high } = spread(numbers);
  return `${median.toFixed(2)}x (${low.toFixed(2)} to ${high.toFixed(2)})`;
};

write(`microseconds, median (quartiles) of ${ROUNDS} rounds; in each, every size of memory has its turn`);
write(
  ` pages  memory    ${['a fault', 'checkpoint COWB', 'checkpoint COWP', 'rollback', 'a plain copy']
    .map((name) => name.padEnd(24))
    .join('  ')
    .trimEnd()}`,
);
for (const memoryBytes of SIZES) {
  const { measure, close } = await sized(memoryBytes, PAGES_WRITTEN[1]);
  for (let round = 0; round < COMPILING; round++) await measure();
  await close();
}
for (const count of PAGES_WRITTEN) {
  const sizes = [];
  for (const memoryBytes of SIZES) sizes.push(await sized(memoryBytes, count));
  const measured = sizes.map(() => []);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (let turn = 0; turn < sizes.length; turn++) {
      const index = (turn + round + WARM_UP) % sizes.length;
      const figures = await sizes[index].measure();
      if (round >= 0) measured[index].push(figures);
    }
  }
  for (const { close } of sizes) await close();
  const label = String(count).padStart(6);
  for (const [index, all] of measured.entries()) {
    const columns = FIGURES.map((name) =>
      shown(
        all.map((one) => one[name]),
        24,
      ),
    );
    write(`${label}  ${`${SIZES[index] / MEBIBYTE} MiB`.padEnd(8)}  ${columns.join('  ').trimEnd()}`);
  }
  const [smallest] = measured;
  for (const [index, all] of measured.entries()) {
    if (index === 0) continue;
    const apart = (name) => times(all.map((one, round) => one[name] / smallest[round][name]));
    write(
      `${label}  ${SIZES[index] / MEBIBYTE} MiB to ${SIZES[0] / MEBIBYTE} MiB, in the same round: an epoch of COWB ${apart('cowb')}, of COWP ${apart('updated')}, a rollback ${apart('rollback')}`,
    );
  }
  const ofCopy = (name) => times(measured.flat().map((one) => one[name] / one.copy));
  write(`${label}  to a plain copy: COWP ${ofCopy('updated')}, rollback ${ofCopy('rollback')}`);
}
