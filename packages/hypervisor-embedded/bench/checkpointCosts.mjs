// What a page fault, a checkpoint and a rollback cost against the pages written, beside a plain copy of as many pages,
// and that the size of the memory is nothing to them. `node bench/checkpointCosts.mjs`, after a build.
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '../dist/index.js';
import { GuestMemory } from '../dist/memory/guestMemory.js';
import { spread, write } from './measure.mjs';

const MEBIBYTE = 1 << 20;
const SIZES = [16 * MEBIBYTE, 128 * MEBIBYTE, 1024 * MEBIBYTE];
const PAGES_WRITTEN = [1, 13, 100, 1000];
const REPETITIONS = 200;
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

function faultCost(memoryBytes, count) {
  const memory = new GuestMemory(memoryBytes, 4 * count);
  const frames = framesOf(count);
  for (const frame of frames) memory.write(frame * 4096, Uint8Array.of(1));
  return Array.from({ length: REPETITIONS }, () => {
    const { log } = memory.nextEpoch(NONE);
    const cost = timed(() => {
      for (const frame of frames) memory.beforeWrite(frame);
    });
    memory.takeFaulted();
    memory.area.release(log);
    return cost / count;
  });
}

/** The same pages to where a log would have them, by `TypedArray.set`, without checksums. */
function copyCost(memoryBytes, count) {
  const memory = new GuestMemory(memoryBytes, count);
  const frames = framesOf(count);
  for (const frame of frames) memory.write(frame * 4096, Uint8Array.of(1));
  const bytes = new Uint8Array(memory.wasmMemory.buffer);
  const copy = () => {
    for (let i = 0; i < frames.length; i++)
      bytes.set(bytes.subarray(frames[i] * 4096, (frames[i] + 1) * 4096), memoryBytes + i * 4096);
  };
  copy();
  return Array.from({ length: REPETITIONS }, () => timed(copy));
}

async function costs(memoryBytes, count) {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({
    name: 'vm',
    elf: readGuest('tasks'),
    memoryBytes,
    logPages: 4 * count,
  });
  const addresses = framesOf(count).map((frame) => RAM + frame * 4096);
  const data = Uint8Array.of(1);
  const dirty = async () => {
    for (const address of addresses) await machine.write(address, data);
  };
  await dirty();
  await machine.suspend();
  const measured = { none: [], updated: [], rollback: [] };
  let { context, log } = await machine.checkpoint(NONE);
  for (let i = 0; i < REPETITIONS; i++) {
    for (const [name, plan] of [
      ['none', NONE],
      ['updated', UPDATED],
    ]) {
      await dirty();
      const [cost, next] = await timedAsync(() => machine.checkpoint(plan));
      measured[name].push(cost);
      log.release();
      ({ context, log } = next);
    }
    await dirty();
    const [cost, next] = await timedAsync(() => machine.rollback({ context, logs: [log] }, NONE));
    measured.rollback.push(cost);
    log.release();
    ({ context, log } = next);
  }
  await hypervisor.close();
  return measured;
}

write(`microseconds, median (quartiles) of ${REPETITIONS}`);
write(
  `${'pages'.padStart(6)}  ${'memory'.padEnd(8)}  ${'a fault'.padEnd(20)}  ${'checkpoint COWB'.padEnd(20)}  ` +
    `${'checkpoint COWP'.padEnd(24)}  ${'rollback'.padEnd(24)}  a plain copy`,
);
const shown = (numbers, width = 20) => {
  const { low, median, high } = spread(numbers);
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`.padEnd(width);
};
const medianOf = (numbers) => spread(numbers).median;
for (const count of PAGES_WRITTEN) await costs(SIZES[0], count);
for (const count of PAGES_WRITTEN) {
  const epochs = [];
  for (const memoryBytes of SIZES) {
    const fault = faultCost(memoryBytes, count);
    const { none, updated, rollback } = await costs(memoryBytes, count);
    const copy = copyCost(memoryBytes, count);
    epochs.push({
      cowb: count * medianOf(fault) + medianOf(none),
      cowp: medianOf(updated),
      rollback: medianOf(rollback),
    });
    const ofCopy = (numbers) => `${(medianOf(numbers) / medianOf(copy)).toFixed(1)}x`;
    write(
      `${String(count).padStart(6)}  ${`${memoryBytes / MEBIBYTE} MiB`.padEnd(8)}  ${shown(fault)}  ${shown(none)}  ` +
        `${shown(updated, 24)}  ${shown(rollback, 24)}  ${shown(copy)}  COWP ${ofCopy(updated)}, rollback ${ofCopy(rollback)}`,
    );
  }
  const apart = (which) => {
    const all = epochs.map((epoch) => epoch[which]);
    return `${(Math.max(...all) / Math.min(...all)).toFixed(2)}x`;
  };
  write(
    `${String(count).padStart(6)}  the sizes apart: an epoch of COWB ${apart('cowb')}, of COWP ${apart('cowp')}, a rollback ${apart('rollback')}`,
  );
}
