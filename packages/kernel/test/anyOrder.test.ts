import 'reflect-metadata';
import {
  CLOCK,
  definePlugin,
  hasCode,
  provide,
  token,
  type Clock,
  type Domain,
  type Module,
  type OnFailure,
  type Plugin,
  type Token,
} from '@rmk/core';
import * as fc from 'fast-check';
import { inject, injectable } from 'tsyringe';
import { expect, it } from 'vitest';
import { domainOf } from './testDomain.js';
import type { ScriptedMachine } from './scriptedMachine.js';
import { cases } from '../../../test/long.js';

const COUNT = 6;
const tokens: readonly Token<object>[] = Array.from({ length: COUNT }, (_, index) =>
  token(`test:ANY_${index}`),
);

/** What plugin number i is like; it requires and takes of those with a smaller number only, so there is no cycle. */
interface Nature {
  readonly requires: readonly number[];
  readonly optional: readonly number[];
  /** Which of its starts fail: the first, the second, … */
  readonly fails: readonly boolean[];
  readonly onFailure: OnFailure | undefined;
}

type Step =
  | { readonly kind: 'install' | 'remove' | 'restart'; readonly plugin: number }
  | { readonly kind: 'run'; readonly forNs: number };

const below = (index: number) =>
  index === 0 ? fc.constant([]) : fc.uniqueArray(fc.nat(index - 1), { maxLength: 3 });
const natures: fc.Arbitrary<readonly Nature[]> = fc.tuple(
  ...Array.from({ length: COUNT }, (_, index) =>
    fc.record<Nature>({
      requires: below(index),
      optional: below(index),
      fails: fc.array(fc.boolean(), { maxLength: 3 }),
      onFailure: fc.constantFrom('abort', 'continue', 'quarantine', undefined),
    }),
  ),
);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('install' as const, 'install' as const, 'remove' as const, 'restart' as const),
      plugin: fc.nat(COUNT - 1),
    }),
    fc.record({ kind: fc.constant('run' as const), forNs: fc.integer({ min: 1, max: 500 }) }),
  ),
  { maxLength: 25 },
);

const nameOf = (index: number): string => `plugin-${index}`;

/** Each instance that was started and not stopped, in the order of the starts; wrong orders are noted in `wrong`. */
class Alive {
  readonly instances: object[] = [];
  readonly wrong: string[] = [];
}

function pluginOf(index: number, { requires, optional, fails, onFailure }: Nature, alive: Alive): Plugin {
  let starts = 0;
  @injectable()
  class Part implements Module {
    constructor(@inject(CLOCK) private readonly clock: Clock) {}

    start(): void {
      this.clock.every(1e9, () => {});
      if (fails[starts++] === true) throw new Error('not this time');
      alive.instances.push(this);
    }

    stop(): void {
      const at = alive.instances.indexOf(this);
      if (at < 0) alive.wrong.push(`${nameOf(index)} was stopped and had not been started`);
      alive.instances.splice(at, 1);
    }
  }
  return definePlugin({
    name: nameOf(index),
    version: '1.0.0',
    rmk: '*',
    requires: requires.flatMap((one) => tokens[one] ?? []),
    optional: optional.flatMap((one) => tokens[one] ?? []),
    provides: tokens.slice(index, index + 1).map((one) => provide(one, Part)),
    ...(onFailure === undefined ? {} : { onFailure }),
  })();
}

async function take(
  step: Step,
  domain: Domain,
  machine: ScriptedMachine,
  plugins: readonly Plugin[],
): Promise<void> {
  try {
    if (step.kind === 'run') await machine.run(step.forNs);
    else if (step.kind === 'restart') await domain.restart(nameOf(step.plugin));
    else if (step.kind === 'remove') await domain.remove(nameOf(step.plugin), { dependants: 'remove' });
    else for (const plugin of plugins.slice(step.plugin, step.plugin + 1)) await domain.install(plugin);
  } catch (error) {
    // What is refused is refused with a code, and that is all.
    if (!hasCode(error)) throw error;
  }
  await machine.released();
}

function expectOrder(domain: Domain, machine: ScriptedMachine, all: readonly Nature[], alive: Alive): void {
  const { plugins } = domain;
  const position = new Map(plugins.map(({ name }, at) => [name, at]));
  for (const { name, state, dependsOn, error, registered } of plugins) {
    expect(['active', 'failed', 'quarantined']).toContain(state);
    expect(error !== undefined).toBe(state !== 'active');
    expect(registered).toEqual(state === 'active' ? ['timer'] : []);
    for (const provider of dependsOn) expect(position.get(provider)).toBeLessThan(position.get(name) ?? -1);
    const { requires = [] } = all[Number(name.split('-')[1])] ?? {};
    const provided = requires.map((one) => plugins.find((plugin) => plugin.name === nameOf(one))?.state);
    // Nothing runs without what it requires, and what requires something of a plugin is never left behind by it.
    if (state === 'active') expect(provided).toEqual(provided.map(() => 'active'));
    else expect(provided).not.toContain(undefined);
  }
  const active = plugins.filter(({ state }) => state === 'active').length;
  const waiting = plugins.filter(({ state }) => state === 'quarantined').length;
  expect(alive.instances).toHaveLength(active);
  expect(machine.liveTimers).toBe(active + waiting);
  expect(alive.wrong).toEqual([]);
}

it('plugins that are installed, removed, restarted and fail in any order leave a domain in order', async () => {
  await fc.assert(
    fc.asyncProperty(natures, steps, async (all, taken) => {
      const alive = new Alive();
      const plugins = all.map((nature, index) => pluginOf(index, nature, alive));
      const { domain, machine } = await domainOf([], { supervision: { restartAfter: '100ns' } });
      for (const step of taken) {
        await take(step, domain, machine, plugins);
        expectOrder(domain, machine, all, alive);
      }
      await domain.stop();
      expect(alive.instances).toEqual([]);
      expect(alive.wrong).toEqual([]);
      expect(machine.liveTimers).toBe(0);
    }),
    { numRuns: cases(60, 2000) },
  );
});
