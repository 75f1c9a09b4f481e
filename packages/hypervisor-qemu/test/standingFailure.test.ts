import type { Domain, Facts } from '@rmk/core';
import { FactEmitter } from '@rmk/driver';
import { QemuHypervisor } from '@rmk/hypervisor-qemu';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { QmpClient } from '../src/qmp/qmpClient.js';
import { queryRunState } from '../src/qmp/runState.js';
import { machineFiles } from '../src/process/machineFolder.js';
import { StandingFailure } from '../src/run/standingFailure.js';
import { answers, next, said } from './facts.js';
import { ORDER } from './guest/bootSectorGuest.js';
import { openMachine } from './openMachine.js';
import { describeQemu } from './qemuPresent.js';

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}

describe('A failure that stands', () => {
  function started(): {
    readonly facts: FactEmitter;
    readonly failure: StandingFailure;
    readonly seen: unknown[];
  } {
    const facts = new FactEmitter();
    let now = 10;
    return { facts, failure: new StandingFailure(facts, () => now++), seen: [] };
  }

  const panic = { cause: 'panic', privilege: 'kernel' } as const;

  it('is emitted at once to whoever listens, and to nobody later', async () => {
    const { facts, failure, seen } = started();
    facts.observe('signal', (what) => void seen.push(what));
    failure.emit('signal', panic);
    expect(seen).toEqual([{ atNs: 10, ...panic }]);
    failure.observed('signal');
    await turns();
    expect(seen).toHaveLength(1);
  });

  it('is emitted once to the first who listens to it, if nobody did', async () => {
    const { facts, failure, seen } = started();
    failure.emit('signal', panic);
    failure.observed('exited');
    await turns();
    for (let listener = 0; listener < 2; listener++) {
      facts.observe('signal', (what) => void seen.push([listener, what]));
      failure.observed('signal');
    }
    expect(seen).toEqual([]);
    await turns();
    expect(seen).toEqual([
      [0, { atNs: 10, ...panic }],
      [1, { atNs: 10, ...panic }],
    ]);
  });

  it('waits until the domain is no longer busy, however often it becomes so', async () => {
    const { facts, failure, seen } = started();
    const ends: (() => void)[] = [];
    const left = [1, 2].map(() => new Promise<void>((resolve) => void ends.push(resolve)));
    failure.reportAfter(() => left[0]);
    failure.emit('exited', { code: 0 });
    facts.observe('exited', (what) => void seen.push(what));
    failure.observed('exited');
    for (const end of ends) {
      await turns();
      expect(seen).toEqual([]);
      void left.shift();
      end();
    }
    await turns();
    expect(seen).toEqual([{ atNs: 10, code: 0 }]);
  });

  it('is history once the guest runs again', async () => {
    const { facts, failure, seen } = started();
    failure.emit('signal', panic);
    facts.observe('signal', (what) => void seen.push(what));
    failure.observed('signal');
    failure.clear();
    await turns();
    expect(seen).toEqual([]);
  });

  it('waits on where who listened has gone meanwhile', async () => {
    const { facts, failure, seen } = started();
    failure.emit('gone', { reason: 'QEMU ended' });
    facts.observe('gone', () => expect.unreachable('it was disposed'))[Symbol.dispose]();
    failure.observed('gone');
    await turns();
    facts.observe('gone', (what) => void seen.push(what));
    failure.observed('gone');
    await turns();
    expect(seen).toEqual([{ atNs: 10, reason: 'QEMU ended' }]);
  });
});

describeQemu('A guest that fails while RMK is dead', () => {
  /** The folder of a VM whose guest has panicked while nobody watched. */
  async function panickedAlone(): Promise<string> {
    const { machine } = await openMachine('in-process');
    const { folder = '' } = machine;
    const qmp = await QmpClient.connect(machineFiles(folder).spareQmp);
    try {
      // The guest gets to its order only after RMK is gone.
      await machine.suspend();
      await machine.input('serial', new TextEncoder().encode(ORDER.panic));
      await machine.detach();
      await qmp.execute('cont');
      await expect
        .poll(async () => (await queryRunState(qmp)).status, { timeout: 10_000 })
        .toBe('guest-panicked');
    } finally {
      qmp.close();
    }
    return folder;
  }

  it('is reported to the first who listens', async () => {
    const machine = await new QemuHypervisor({ control: 'none' }).attachMachine(await panickedAlone());
    onTestFinished(() => machine.close());
    const panic: Facts['signal'] = await next(machine, 'signal');
    expect(panic).toMatchObject({ cause: 'panic', privilege: 'kernel' });
  });

  it('is recovered by the domain that protects it again', { timeout: 60_000 }, async () => {
    const machine = await new QemuHypervisor().attachMachine(await panickedAlone());
    onTestFinished(() => machine.close());
    // No checkpoint is left of before: the guest boots again.
    const up = said(machine, 'up');
    let protectedAgain: Domain | undefined;
    const cause = await new Promise<string>((resolve, reject) => {
      createDomain({
        name: 'guest',
        machine,
        plugins: microcheckpoint({ hang: { signs: ['page-written'], threshold: '300ms' } }),
        observe: (bus) => {
          bus.on('EVT_RECOVERED', ({ record }) => resolve(record.trigger.cause));
          bus.on('EVT_RECOVERYFAILED', ({ reason }) => reject(new Error(reason)));
        },
      }).then((domain) => (protectedAgain = domain), reject);
    });
    onTestFinished(() => protectedAgain?.stop());
    expect(cause).toContain('panic');
    await up;
    await answers(machine, 'x');
  });
});
