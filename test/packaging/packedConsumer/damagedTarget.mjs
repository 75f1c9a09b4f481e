// An error that is detected while the log of the rollback's target is damaged. Prints how it was recovered from, and
// whether the package that is named on the command line has a copy of @rmk/core of its own.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { P_PTABLE, PAGE_BYTES } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor, RAM_BASE } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';

const MS = 1e6;
const [, , other] = process.argv;
const coreOf = (path) => createRequire(path).resolve('@rmk/core');
const hasOwnCore = coreOf(fileURLToPath(import.meta.resolve(other))) !== coreOf(import.meta.filename);

const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
/** A page that only this program writes. */
const frame = machine.memoryPages / 2;
const kept = [];
const checkpoint = machine.checkpoint.bind(machine);
machine.checkpoint = async (plan) => {
  const done = await checkpoint(plan);
  kept.push(done);
  return done;
};

const plugins = microcheckpoint({ algorithm: 'cowb', retain: 4, hang: false });
const domain = await createDomain({ name: 'tasks', machine, plugins });
const recoveries = [];
const losses = [];
domain.bus.on('EVT_RECOVERED', ({ record }) => void recoveries.push(record));
domain.bus.on('EVT_PROTECTIONLOST', ({ reason }) => void losses.push(reason));

const write = (value) => domain.get(P_PTABLE).write(RAM_BASE + frame * PAGE_BYTES, Uint8Array.of(value));
await hypervisor.run({ untilNs: 20 * MS });
await write(1);
await hypervisor.run({ untilNs: 160 * MS });
await write(2);
await hypervisor.run({ untilNs: 260 * MS });
kept.find(({ atNs }) => atNs === 150 * MS).log.damage(frame, 1234);
domain.bus.topic('EVT_ERRORDETECTED').publish({
  atNs: 260 * MS,
  kind: 'test',
  cause: 'a damaged log',
  suspectSinceNs: 160 * MS,
});
await hypervisor.run({ untilNs: 260 * MS });
const lossesWhileProtected = [...losses];
await domain.stop();

const attempts = recoveries.flatMap((record) =>
  record.attempts.map(({ rung, failure }) =>
    failure === undefined ? rung : `${rung}: ${failure.split(':')[0]}`,
  ),
);
process.stdout.write(`${JSON.stringify({ hasOwnCore, attempts, losses: lossesWhileProtected })}\n`);
