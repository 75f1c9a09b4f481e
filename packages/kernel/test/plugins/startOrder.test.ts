import { provide, token, type Token } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckedPlugin } from '../../src/plugins/manifest.js';
import { startOrder } from '../../src/plugins/startOrder.js';

class Anything {
  stop(): void {}
}

function checked(name: string, relations: Partial<CheckedPlugin['definition']> = {}): CheckedPlugin {
  const definition = { name, version: '1.0.0', rmk: '*', ...relations };
  return { name, definition, options: undefined, detections: [] };
}

function namesInOrder(plugins: readonly CheckedPlugin[]): readonly string[] {
  const result = startOrder(plugins);
  if ('cycles' in result) throw new Error(result.cycles[0].path);
  return result.order.map(({ name }) => name);
}

describe('the start order', () => {
  it('is the given order if the plugins do not depend on each other', () => {
    expect(namesInOrder(['c', 'a', 'b'].map((name) => checked(name)))).toEqual(['c', 'a', 'b']);
  });

  it('puts the provider of a token before what requires it', () => {
    const pin: Token<Anything> = token('test:PIN');
    const provider = checked('provider', { provides: [provide(pin, Anything)] });
    expect(namesInOrder([checked('module', { requires: [pin] }), provider])).toEqual(['provider', 'module']);
  });

  it('follows before and after, and ignores them if the other is not installed', () => {
    const plugins = [checked('a', { after: ['c', 'absent'] }), checked('b'), checked('c', { before: ['b'] })];
    expect(namesInOrder(plugins)).toEqual(['c', 'a', 'b']);
  });

  it('prints a cycle, and why each waits for the next', () => {
    const pin: Token<Anything> = token('test:PIN');
    const plugins = [
      checked('free'),
      checked('a', { requires: [pin] }),
      checked('b', { provides: [provide(pin, Anything)], after: ['a'] }),
    ];
    expect(startOrder(plugins)).toEqual({
      cycles: [{ path: 'a → b → a', reasons: ['a requires test:PIN of b', 'b starts after a'] }],
    });
  });

  it('names each cycle that has nothing in common with another one, and none for what only waits for one', () => {
    const plugins = [
      checked('a', { after: ['b'] }),
      checked('b', { after: ['a'] }),
      checked('waiting', { after: ['a', 'y'] }),
      checked('x', { before: ['y'] }),
      checked('y', { before: ['x'] }),
    ];
    expect(startOrder(plugins)).toMatchObject({ cycles: [{ path: 'a → b → a' }, { path: 'y → x → y' }] });
  });

  it('gives the reasons of the cycle alone where it is found by way of a plugin outside of it', () => {
    const plugins = [
      checked('waiting', { after: ['a'] }),
      checked('a', { after: ['b'] }),
      checked('b', { after: ['a'] }),
    ];
    expect(startOrder(plugins)).toEqual({
      cycles: [{ path: 'a → b → a', reasons: ['a starts after b', 'b starts after a'] }],
    });
  });

  it('finds that a plugin requires what it provides itself', () => {
    const pin: Token<Anything> = token('test:PIN');
    const plugin = checked('a', { requires: [pin], provides: [provide(pin, Anything)] });
    expect(startOrder([plugin])).toMatchObject({ cycles: [{ path: 'a → a' }] });
  });

  it('satisfies every constraint, is the first such order in the order given, or names a true cycle', () => {
    const graph = fc.integer({ min: 1, max: 8 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        // [plugin, the one it waits for, how it declares that]
        waits: fc.array(
          fc.tuple(fc.nat(size - 1), fc.nat(size - 1), fc.constantFrom('requires', 'after', 'before')),
          {
            maxLength: 10,
          },
        ),
      }),
    );
    const seen = { orders: 0, cycles: 0 };
    fc.assert(
      fc.property(graph, ({ size, waits }) => {
        const indices = Array.from({ length: size }, (_, index) => index);
        const pinOf = (index: number): Token<Anything> => token(`test:PIN${index}`);
        const said = (how: string, plugin: number) =>
          waits.filter(([by, on, as]) => as === how && (how === 'before' ? on : by) === plugin);
        const plugins = indices.map((index) =>
          checked(`p${index}`, {
            provides: [provide(pinOf(index), Anything)],
            requires: said('requires', index).map(([, on]) => pinOf(on)),
            after: said('after', index).map(([, on]) => `p${on}`),
            before: said('before', index).map(([by]) => `p${by}`),
          }),
        );
        const waitsFor = (by: number, on: number): boolean => waits.some(([b, o]) => b === by && o === on);
        const indexOf = (name: string): number => Number(name.slice(1));

        const result = startOrder(plugins);
        if ('cycles' in result) {
          seen.cycles += 1;
          const paths = result.cycles.map(({ path }) => path.split(' → ').map(indexOf));
          for (const path of paths) {
            expect(path.length).toBeGreaterThan(1);
            expect(path.at(-1)).toBe(path[0]);
            for (const [step, on] of path.slice(1).entries())
              expect(waitsFor(path[step] ?? -1, on)).toBe(true);
          }
          const named = paths.flatMap((path) => path.slice(1));
          expect(new Set(named).size).toBe(named.length);
          return;
        }
        seen.orders += 1;
        const order = result.order.map(({ name }) => indexOf(name));
        expect([...order].toSorted((a, b) => a - b)).toEqual(indices);
        for (const [place, plugin] of order.entries()) {
          const started = order.slice(0, place);
          const mayStart = (candidate: number): boolean =>
            !started.includes(candidate) &&
            indices.every((on) => !waitsFor(candidate, on) || started.includes(on));
          // Satisfies its constraints, and no plugin given earlier could have had its place.
          expect(indices.find(mayStart)).toBe(plugin);
        }
      }),
      { numRuns: 500 },
    );
    expect(seen.orders).toBeGreaterThan(50);
    expect(seen.cycles).toBeGreaterThan(50);
  });
});
