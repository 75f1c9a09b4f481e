// What a page fault, a checkpoint and a rollback cost against the pages written, and that the size of the memory is
// nothing to them. `node bench/checkpointCosts.mjs`, after a build.
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '../dist/index.js';
import { GuestMemory } from '../dist/memory/guestMemory.js';
import { spread, write } from './measure.mjs';

const MEBIBYTE = 1 << 20;
const SIZES = [32 * MEBIBYTE, 512 * MEBIBYTE];
const PAGES_WRITTEN = [1, 13, 100, 1000];
const REPETITIONS = 200;
const RAM = 0x8000_0000;
const NONE = { preSave: 'none' };
const UPDATED = { preSave: 'updated' };

/** So many different frames, all over the memory. */
function framesIn(memoryBytes, count) {
  const pages = memoryBytes / 4096;
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
  const frames = framesIn(memoryBytes, count);
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

async function costs(memoryBytes, count) {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({
    name: 'vm',
    elf: readGuest('tasks'),
    memoryBytes,
    logPages: 4 * count,
  });
  const addresses = framesIn(memoryBytes, count).map((frame) => RAM + frame * 4096);
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
    `${'checkpoint COWP'.padEnd(20)}  rollback`,
);
const shown = (numbers) => {
  const { low, median, high } = spread(numbers);
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`.padEnd(20);
};
for (const count of PAGES_WRITTEN) await costs(SIZES[0], count);
for (const count of PAGES_WRITTEN) {
  for (const memoryBytes of SIZES) {
    const fault = faultCost(memoryBytes, count);
    const { none, updated, rollback } = await costs(memoryBytes, count);
    write(
      `${String(count).padStart(6)}  ${`${memoryBytes / MEBIBYTE} MiB`.padEnd(8)}  ${shown(fault)}  ${shown(none)}  ` +
        `${shown(updated)}  ${shown(rollback)}`,
    );
  }
}
