import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nanoseconds, PAGE_BYTES } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { describeHypervisor, type HypervisorSubject } from '../src/conformance/index.js';
import { FakeContext, FakeMachine, FakePageLog } from '../src/index.js';

const text = new TextEncoder();

/** Its guest writes, prints and gives signs of progress, and answers. */
function subject(): HypervisorSubject {
  const machine = new FakeMachine({
    schedulingInterval: '1ms',
    guest: [
      {
        at: '300us',
        every: '700us',
        does: (guest) => {
          guest.store(5 * PAGE_BYTES + 8, Uint8Array.of(1, 2, 3));
          guest.store(6 * PAGE_BYTES - 2, text.encode('across'));
          guest.sign('heartbeat');
        },
      },
      { at: '1ms', every: '2ms', does: (guest) => guest.putOut('console', 'alive\n') },
      { at: '1500us', every: '3ms', does: (guest) => guest.becomes('idle') },
      { at: '2500us', every: '3ms', does: (guest) => guest.becomes('busy') },
    ],
    onInput: (guest, device, data) => guest.putOut(device, `echo ${new TextDecoder().decode(data)}`),
  });
  return {
    machine,
    guest: {
      register: 'x10',
      unusedFrames: { first: 32, count: 16 },
      busyNs: nanoseconds('3ms'),
      output: { device: 'console', withinNs: nanoseconds('2ms') },
      echo: {
        device: 'console',
        input: text.encode('hello'),
        answer: text.encode('echo hello'),
        withinNs: nanoseconds('1ms'),
      },
    },
    runFor: (byNs) => machine.advance(byNs),
    addressOf: (frame) => frame * PAGE_BYTES,
    damage: {
      log: (log, frame) => {
        if (log instanceof FakePageLog) log.damage(frame);
      },
      context: (context) => {
        if (context instanceof FakeContext) context.damage();
      },
    },
    close: () => machine.close(),
  };
}

describeHypervisor('fake', subject);
describeHypervisor('fake, with one VM for all tests', subject, { shared: true });

describe('a fake machine', () => {
  it('does what its script says at the moments of guest time, and again after a rollback', async () => {
    const did: number[] = [];
    const machine = new FakeMachine({
      guest: [{ at: '2ms', every: '2ms', does: () => void did.push(machine.guestNs / 1e6) }],
    });
    await machine.advance('3ms');
    const { context, log } = await machine.checkpoint({ preSave: 'none' });
    await machine.advance('4ms');
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, { preSave: 'none' });
    await machine.resume();
    await machine.advance('2ms');
    expect(did).toEqual([2, 4, 6, 4]);
    expect([machine.guestNs, machine.clock.now()]).toEqual([5e6, 9e6]);
  });

  it('loses its logs when the log area is full, and says so', async () => {
    const machine = new FakeMachine({ logPages: 1 });
    const lost: string[] = [];
    machine.observe('loglost', ({ reason }) => void lost.push(reason));
    const { log } = await machine.checkpoint({ preSave: 'none' });
    await machine.write(0, Uint8Array.of(1));
    expect(lost).toEqual([]);
    await machine.write(PAGE_BYTES, Uint8Array.of(1));
    expect(lost).toEqual([expect.stringContaining('give the fake machine more logPages')]);
    await expect(log.frames()).rejects.toThrow('RMK_ERR_RELEASED');
  });

  it('refuses a plan for which the log area has no room', async () => {
    const machine = new FakeMachine({ logPages: 1 });
    const plan = { preSave: 'none', add: Uint32Array.of(1, 2) } as const;
    await expect(machine.checkpoint(plan)).rejects.toThrow('RMK_ERR_LOGFULL');
  });

  it('emits facts, at the present time or at a given one', async () => {
    const machine = new FakeMachine();
    const emitted: unknown[] = [];
    machine.observe('gone', (fact) => void emitted.push(fact));
    await machine.advance('1ms');
    machine.emit('gone', { reason: 'the host is off' });
    machine.emit('gone', { reason: 'it was off before', atNs: 7 });
    expect(emitted).toEqual([
      { atNs: 1e6, reason: 'the host is off' },
      { atNs: 7, reason: 'it was off before' },
    ]);
  });

  it('keeps no page log that was released, nor does whoever still holds it keep contents', async () => {
    const machine = new FakeMachine();
    const gone: WeakRef<object>[] = [];
    let { log } = await machine.checkpoint({ preSave: 'none' });
    const first = log;
    for (let epoch = 0; epoch < 50; epoch++) {
      await machine.write(0, Uint8Array.of(epoch));
      const next = await machine.checkpoint({ preSave: 'none' });
      log.release();
      if (log !== first) gone.push(new WeakRef(log));
      ({ log } = next);
    }
    expect(first.pages).toBe(0);
    await collectGarbage();
    expect(gone.slice(0, -1).filter((reference) => reference.deref() !== undefined)).toEqual([]);
  });
});

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // A WeakRef that was read in this turn holds on until the next.
  await new Promise((resolve) => void setImmediate(resolve));
  collect();
}
