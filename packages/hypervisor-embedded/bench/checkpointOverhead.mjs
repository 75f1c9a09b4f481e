// What checkpoints cost a running guest: millions of instructions a second without and with a checkpoint each 50 ms of
// domain time, in turns in one process. `node bench/checkpointOverhead.mjs [guest.elf]`, after a build.
import { readFileSync } from 'node:fs';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '../dist/index.js';
import { cpuMicroseconds, spread, write } from './measure.mjs';

const ROUNDS = 9;
const INTERVAL_NS = 50e6;
const RETAIN = 6;
const RUN_NS = 1.5e9;

const path = process.argv[2];
const elf = path === undefined ? readGuest('tasks') : readFileSync(path);
const ways = [
  { name: 'no checkpoints' },
  { name: 'COWB, each 50 ms', plan: { preSave: 'none' } },
  { name: 'COWP, each 50 ms', plan: { preSave: 'updated' } },
];

async function run({ plan }) {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({ name: 'guest', elf });
  const reports = [];
  let ring = [];
  if (plan !== undefined) {
    machine.clock.every(INTERVAL_NS, async () => {
      const checkpointed = await machine.checkpoint(plan);
      if (checkpointed.closed !== undefined) reports.push(checkpointed.closed);
      const all = [checkpointed, ...ring];
      for (const { log } of all.slice(RETAIN)) log.release();
      ring = all.slice(0, RETAIN);
    });
  }
  const before = cpuMicroseconds();
  await hypervisor.run({ untilNs: RUN_NS });
  const mips = machine.instructions / (cpuMicroseconds() - before);
  await hypervisor.close();
  return { mips, reports };
}

const results = ways.map(() => []);
await run(ways[0]);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, way] of ways.entries()) results[i].push(await run(way));
}

write(`${path ?? 'tasks'}, ${RUN_NS / 1e9} s of guest time, ${ROUNDS} rounds; MIPS: median (quartiles)`);
const base = spread(results[0].map(({ mips }) => mips)).median;
for (const [i, { name }] of ways.entries()) {
  const { low, median, high } = spread(results[i].map(({ mips }) => mips));
  const { reports } = results[i][0];
  const mean = (of) => (reports.reduce((sum, report) => sum + of(report), 0) / reports.length).toFixed(1);
  const pauses = spread(
    results[i].flatMap((result) => result.reports).map(({ pauseHostNs }) => pauseHostNs / 1000),
  );
  const epochs =
    reports.length === 0
      ? ''
      : `; an epoch: ${mean(({ updated }) => updated.length)} pages written, ${mean(({ pageFaults }) => pageFaults)} ` +
        `faults, ${mean(({ preSavedInVain }) => preSavedInVain)} saved in vain, pause ${pauses.median.toFixed(0)} µs`;
  const cost = ((1 - median / base) * 100).toFixed(1);
  write(
    `${name.padEnd(18)} ${median.toFixed(0)} (${low.toFixed(0)} to ${high.toFixed(0)}), ${cost} % slower${epochs}`,
  );
}
