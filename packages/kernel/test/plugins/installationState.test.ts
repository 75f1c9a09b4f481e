import 'reflect-metadata';
import { definePlugin, INSTALLATION_STATE, stateKey, type InstallationState, type Plugin } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { domainOf } from '../testDomain.js';

const STARTS = stateKey(() => ({ count: 0 }));

/** A plugin that counts its starts, and reports the count of each. */
function counted(name: string, counts: number[]): Plugin {
  @injectable()
  class Counted {
    private readonly starts: { count: number };

    constructor(@inject(INSTALLATION_STATE) kept: InstallationState) {
      this.starts = kept.get(STARTS);
    }

    start(): void {
      this.starts.count += 1;
      counts.push(this.starts.count);
    }
  }
  return definePlugin({ name, version: '1.0.0', rmk: '*', modules: [Counted] })();
}

describe('what a plugin keeps', () => {
  it('is there again after a restart, and gone once the plugin has been removed', async () => {
    const counts: number[] = [];
    const one = counted('one', counts);
    const { domain } = await domainOf([one]);
    await domain.restart('one');
    await domain.restart('one');
    expect(counts).toEqual([1, 2, 3]);
    await domain.remove('one');
    await domain.install(one);
    expect(counts).toEqual([1, 2, 3, 1]);
  });

  it('is its own: another plugin, and the same plugin in another domain, begin with nothing', async () => {
    const [ofOne, ofOther]: [number[], number[]] = [[], []];
    const one = counted('one', ofOne);
    const { domain } = await domainOf([one, counted('other', ofOther)]);
    await domain.restart('one');
    await domainOf([one]);
    expect([ofOne, ofOther]).toEqual([[1, 2, 1], [1]]);
  });

  it('is kept by key', async () => {
    const seen: unknown[] = [];
    let made = 0;
    const [a, b] = [stateKey(() => ({ number: ++made })), stateKey(() => ({ number: ++made }))];
    @injectable()
    class Keeper {
      constructor(@inject(INSTALLATION_STATE) private readonly kept: InstallationState) {}

      start(): void {
        const first = this.kept.get(a);
        seen.push(first, this.kept.get(b), this.kept.get(a) === first);
      }
    }
    await domainOf([definePlugin({ name: 'one', version: '1.0.0', rmk: '*', modules: [Keeper] })()]);
    expect(seen).toEqual([{ number: 1 }, { number: 2 }, true]);
  });
});
