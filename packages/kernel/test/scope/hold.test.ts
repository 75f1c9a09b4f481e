import { describe, expect, it } from 'vitest';
import { Hold } from '../../src/scope/hold.js';
import { domainOf, plugin } from '../testDomain.js';

const exited = { atNs: 0, code: 0 };

/** A promise that the test settles. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

describe('the hold', () => {
  it('is pending until the last of its promises is settled, and is never rejected', async () => {
    const hold = new Hold();
    expect(hold.pending()).toBeUndefined();
    const first = gate();
    const second = gate();
    hold.add(first.opened.then(() => Promise.reject(new Error('not of interest here'))));
    hold.add(second.opened);
    const pending = hold.pending();
    first.open();
    await Promise.resolve();
    expect(hold.pending()).toBe(pending);
    second.open();
    await expect(pending).resolves.toBeUndefined();
    expect(hold.pending()).toBeUndefined();
  });

  it('keeps the VM from running on while a handler is busy', async () => {
    const busy = gate();
    const { domain, machine } = await domainOf([
      plugin('slow', (bus) => void bus.on('EVT_VMEXITED', () => busy.opened)),
    ]);
    domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    let ran = false;
    const running = machine.run(100).then(() => (ran = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ran).toBe(false);
    expect(machine.clock.now()).toBe(0);
    busy.open();
    await running;
    expect(machine.clock.now()).toBe(100);
  });

  it('covers timers, and what starts because of a rejection', async () => {
    const log: string[] = [];
    const { domain, machine } = await domainOf([
      plugin('failing', (_, clock) => {
        clock.after(10, async () => {
          await new Promise((resolve) => setImmediate(resolve));
          throw new Error('broken');
        });
      }),
    ]);
    domain.bus.on('EVT_PLUGINFAULT', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`handled at ${machine.clock.now()}`);
    });
    await machine.run(20);
    expect(log).toEqual(['handled at 10']);
  });

  it('covers the start and the stop of plugins', async () => {
    const held: boolean[] = [];
    const { domain, machine } = await domainOf([]);
    const installing = domain.install(
      plugin('a', async () => {
        await Promise.resolve();
        held.push(machine.held);
      }),
    );
    expect(machine.held).toBe(true);
    await installing;
    await machine.released();
    expect(machine.held).toBe(false);
    const stopping = domain.stop();
    expect(machine.held).toBe(true);
    await stopping;
    await machine.released();
    expect(machine.held).toBe(false);
    expect(held).toEqual([true]);
  });
});
