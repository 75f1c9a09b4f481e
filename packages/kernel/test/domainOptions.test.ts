import { P_VCPU, problemText, type Plugin, type Token } from '@rmk/core';
import { createDomain, type DomainOptions } from '@rmk/kernel';
import { describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from './testDomain.js';
import { ScriptedMachine } from './scriptedMachine.js';

const input = (message: string) => ({ code: 'RMK_ERR_INPUT', message: `RMK_ERR_INPUT: ${message}` });
const make = (given: unknown) => errorOf(createDomain(given as DomainOptions));

describe('the options of a domain', () => {
  it('are rejected together in one error, each with its path', async () => {
    const error = await make({
      name: '',
      machine: { name: 'junk' },
      plugins: 'cowp',
      plguins: [],
      onFailure: { someone: 'maybe' },
      supervision: { restartAfter: 'soon', handlerBudget: 5, quarantineAfter: 3, quarantineAfterFaults: 0 },
      timeouts: { start: '9999h' },
      events: ['FOO'],
      observe: 1,
    });
    expect(error.code).toBe('RMK_ERR_INPUT');
    expect(error.problems.map(problemText).toSorted()).toEqual(
      [
        'name: expected a name, given ""',
        'machine: expected a VM of a hypervisor, such as EmbeddedHypervisor.createMachine makes',
        'plugins: expected an array of plugins, given "cowp"',
        'onFailure.someone: expected one of abort, continue, quarantine, given "maybe"',
        'supervision.quarantineAfterFaults: expected a whole number of 1 or more, given 0',
        `supervision.restartAfter: expected a duration above zero such as 50ms, 1.5s or 2min, or 'never', given "soon"`,
        'supervision.handlerBudget: expected a duration above zero such as 50ms, 1.5s or 2min, given 5',
        'supervision.quarantineAfter: unknown key: choose one of quarantineAfterFaults, faultWindow, restartAfter, handlerBudget',
        'timeouts.start: expected a duration above zero such as 50ms, 1.5s or 2min, at most 24 days, given "9999h"',
        'events[0]: expected the name of an event, EVT_ and one run of capitals, given "FOO"',
        'observe: expected a function, given 1',
        'plguins: unknown key: did you mean plugins?',
      ].toSorted(),
    );
  });

  it('have an observe that subscribes synchronously', async () => {
    const observe = (() => Promise.reject(new Error('never seen'))) as () => void;
    expect(await make({ name: 'test', machine: new ScriptedMachine(), plugins: [], observe })).toMatchObject({
      code: 'RMK_ERR_INPUT',
      reason: 'createDomain: observe returned a promise: let it subscribe and return',
    });
  });

  it.each([
    [async () => [], 'given a function: call it, and await what it gives where it is async'],
    [Promise.resolve([]), 'given a promise: await it'],
  ])('have plugins that are a list, and not %o', async (plugins, given) => {
    const error = await make({ name: 'test', machine: new ScriptedMachine(), plugins });
    expect(error.message).toContain(`plugins: expected an array of plugins, ${given}`);
  });

  it.each([undefined, null, 5])('are no %o', async (given) => {
    expect(await make(given)).toMatchObject({ code: 'RMK_ERR_INPUT' });
  });

  it('that are refused leave the VM free', async () => {
    const machine = new ScriptedMachine();
    expect(
      await make({ name: 'test', machine, plugins: [], supervision: { faultWindow: 'x' } }),
    ).toMatchObject({ code: 'RMK_ERR_INPUT' });
    const domain = await createDomain({ name: 'test', machine, plugins: [] });
    await domain.stop();
  });

  it('are shown as they were given, even if JSON has no such value', async () => {
    const supervision = { handlerBudget: 5n, faultWindow: Number.NaN };
    const error = await make({ name: 'test', machine: new ScriptedMachine(), plugins: [], supervision });
    const duration = 'expected a duration above zero such as 50ms, 1.5s or 2min';
    expect(error.problems.map(problemText)).toEqual([
      `supervision.faultWindow: ${duration}, given NaN`,
      `supervision.handlerBudget: ${duration}, given 5`,
    ]);
  });

  it('may have a name of one letter', async () => {
    const domain = await createDomain({ name: 'x', machine: new ScriptedMachine(), plugins: [] });
    expect(domain.name).toBe('x');
    await domain.stop();
  });

  it('decide what happens to installed plugins', async () => {
    expect(
      await make({ name: 'test', machine: new ScriptedMachine(), plugins: [], onFailure: { x: 'abort' } }),
    ).toMatchObject({
      message: 'RMK_ERR_UNKNOWN: onFailure: no plugin that is given is named x: leave it out',
    });
  });
});

describe('an unknown option', () => {
  it('is null for a plugin', async () => {
    const error = await errorOf(domainOf([null as unknown as Plugin]));
    expect(error.message).toContain('RMK_ERR_MANIFEST: expected a plugin, given null');
  });

  it.each(['yes', 'Remove', true, null])(
    'is not taken for the order to remove dependants: %o',
    async (dependants) => {
      const { domain } = await domainOf([plugin('a')]);
      const how = { dependants } as unknown as { readonly dependants: 'remove' };
      expect(await errorOf(domain.remove('a', how))).toMatchObject(
        input(
          `remove: invalid options: dependants: expected one of refuse, remove, given ${typeof dependants === 'string' ? JSON.stringify(dependants) : String(dependants)}`,
        ),
      );
      expect(domain.plugins).toMatchObject([{ name: 'a', state: 'active' }]);
    },
  );

  it('is refused of install, and nothing is installed', async () => {
    const { domain } = await domainOf([]);
    const how = { onFailure: 'x', foo: 1 } as unknown as { readonly onFailure: 'abort' };
    expect((await errorOf(domain.install(plugin('a'), how))).problems).toEqual([
      { path: 'onFailure', message: 'expected one of abort, continue, quarantine, given "x"' },
      { path: 'foo', message: 'unknown key: choose one of onFailure' },
    ]);
    expect(domain.plugins).toEqual([]);
  });

  it.each(['P_VCPU', undefined, null])('is no token: %o', async (given) => {
    const { domain } = await domainOf([]);
    expect(() => domain.get(given as unknown as Token<unknown>)).toThrow(
      'RMK_ERR_INPUT: domain.get: expected a token, such as DETECTIONS, given',
    );
    expect(() => domain.get(P_VCPU)).toThrow('RMK_ERR_UNKNOWN');
  });

  it.each([undefined, null, 'later'])('cannot be called when its time comes: %o', async (given) => {
    const { domain } = await domainOf([]);
    const run = given as unknown as () => void;
    const expected = `expected a function to call, given ${typeof given}`;
    expect(() => domain.bus.on('EVT_VMOUTPUT', run)).toThrow(`RMK_ERR_INPUT: on(EVT_VMOUTPUT): ${expected}`);
    expect(() => domain.clock.after(5, run)).toThrow(`RMK_ERR_INPUT: after(5): ${expected}`);
    expect(() => domain.clock.every(5, run)).toThrow(`RMK_ERR_INPUT: every(5): ${expected}`);
  });
});
