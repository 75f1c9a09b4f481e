import 'reflect-metadata';
import { P_VCPU, provide, token, type Module, type Token } from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import { EventEmitter } from 'eventemitter3';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it, vi } from 'vitest';
import { domainOf, plugin } from './testDomain.js';
import { ScriptedMachine } from './scriptedMachine.js';

const exited = { atNs: 0, code: 0 };

describe('a domain that has stopped', () => {
  it('says so when it is asked for what a plugin provided', async () => {
    const { domain } = await domainOf([]);
    await domain.stop();
    expect(() => domain.get(P_VCPU)).toThrow(
      'RMK_ERR_STATE: domain.get(P_VCPU): the domain test has stopped: make another one with createDomain',
    );
  });

  it('no longer holds the VM for a handler of the host that never settles', async () => {
    const { domain, machine } = await domainOf([]);
    domain.bus.on('EVT_VMEXITED', () => new Promise(() => {}));
    domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    expect(machine.held).toBe(true);
    await domain.stop();
    await machine.run(100);
    expect(machine.clock.now()).toBe(100);
    expect(machine.held).toBe(false);
  });

  it('releases its VM for another one, also if it was stopped by disposal', async () => {
    const machine = new ScriptedMachine();
    const stops: string[] = [];
    class Stopping implements Module {
      stop(): void {
        stops.push('stopped');
      }
    }
    {
      await using domain = await createDomain({
        name: 'first',
        machine,
        plugins: [plugin('a', () => {}, { modules: [Stopping] })],
      });
      expect(domain.plugins).toMatchObject([{ state: 'active' }]);
    }
    expect(stops).toEqual(['stopped']);
    const second = await createDomain({ name: 'second', machine, plugins: [] });
    await second.stop();
  });
});

describe('a disposal that is async by mistake', () => {
  interface Lender {
    lend(): Disposable;
  }
  const LENDER: Token<Lender> = token<Lender>('test:LENDER');

  class Lent {
    [Symbol.dispose](): Promise<void> {
      return Promise.reject(new Error('lost it'));
    }
  }

  class Careless implements Lender {
    lend(): Disposable {
      return new Lent();
    }
  }

  @injectable()
  class Borrower implements Module {
    constructor(@inject(LENDER) private readonly lender: Lender) {}

    start(): void {
      this.lender.lend();
    }
  }

  it('is waited for, and a fault of whose code it is', async () => {
    const { domain } = await domainOf([
      plugin('lender', () => {}, { provides: [provide(LENDER, Careless)] }),
      plugin('borrower', () => {}, { requires: [LENDER], modules: [Borrower] }),
    ]);
    const faults: string[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ plugin: name, during, error }) => {
      faults.push(`${name} ${during} ${String(error)}`);
    });
    await domain.remove('borrower');
    await vi.waitFor(() => expect(faults).toEqual(['lender test:LENDER.lend Error: lost it']));
    await domain.stop();
  });
});

it('subscribing does not go through the subscriptions that there are', async () => {
  const { domain } = await domainOf([]);
  const rebuilds = vi.spyOn(EventEmitter.prototype, 'emit');
  try {
    const subscriptions = Array.from({ length: 100 }, () => domain.bus.on('EVT_VMEXITED', () => {}));
    expect(rebuilds).not.toHaveBeenCalled();
    // Shows that the spy sees a rebuild: one takes place when half of the subscriptions are disposed of.
    for (const subscription of subscriptions.slice(0, 50)) subscription[Symbol.dispose]();
    expect(rebuilds).toHaveBeenCalledTimes(1);
  } finally {
    rebuilds.mockRestore();
  }
  await domain.stop();
});
