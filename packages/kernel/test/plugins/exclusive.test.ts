import { definePlugin, provide, token, type Manifest, type Plugin } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';

interface Valve {
  turn(): string;
}
const VALVE = token<Valve>('test:VALVE', { members: ['turn'], exclusive: true });

class RealValve implements Valve {
  turn(): string {
    return 'turned';
  }
}
const valve = definePlugin({
  name: 'valve',
  version: '1.0.0',
  rmk: '*',
  provides: [provide(VALVE, RealValve)],
});

function user(name: string, manifest: Partial<Manifest> = { requires: [VALVE] }): Plugin {
  return plugin(name, () => {}, manifest);
}

describe('an exclusive token', () => {
  it('is refused to the second plugin that requires it, and both are named', async () => {
    const error = await errorOf(domainOf([valve(), user('first'), user('second'), user('third')]));
    expect(error.code).toBe('RMK_ERR_REFUSED');
    expect(error.problems).toEqual(
      ['second', 'third'].map((name) => ({
        path: '',
        code: 'RMK_ERR_EXCLUSIVE',
        plugin: name,
        message: `${name} requires test:VALVE, which only one plugin of a domain may hold, and first does: leave one of them out`,
      })),
    );
  });

  it('is refused to a second plugin that uses it optionally', async () => {
    const { domain } = await domainOf([valve(), user('first')]);
    const error = await errorOf(domain.install(user('second', { optional: [VALVE] })));
    expect(error).toMatchObject({ code: 'RMK_ERR_EXCLUSIVE', plugin: 'second' });
    expect(domain.plugins.map(({ name }) => name)).toEqual(['valve', 'first']);
  });

  it('may be both required and optional of one plugin', async () => {
    const { domain } = await domainOf([valve(), user('first', { requires: [VALVE], optional: [VALVE] })]);
    expect(domain.plugins).toMatchObject([{ state: 'active' }, { state: 'active' }]);
  });

  it('is free again when its holder is removed', async () => {
    const { domain } = await domainOf([valve(), user('first')]);
    await domain.remove('first');
    await domain.install(user('second'));
    expect(domain.plugins).toMatchObject([{ name: 'valve' }, { name: 'second', state: 'active' }]);
  });

  it('is refused to the host while a plugin holds it', async () => {
    const { domain } = await domainOf([valve(), user('first')]);
    expect(() => domain.get(VALVE)).toThrow(
      'RMK_ERR_EXCLUSIVE: domain.get: test:VALVE is a right that first holds: ask that plugin, or remove it',
    );
  });

  it('is refused to plugins once the host has taken it', async () => {
    const { domain } = await domainOf([valve()]);
    expect(domain.get(VALVE).turn()).toBe('turned');
    const error = await errorOf(domain.install(user('late')));
    expect(error).toMatchObject({ code: 'RMK_ERR_EXCLUSIVE', plugin: 'late' });
    expect(error.message).toContain(
      'only one plugin of a domain may hold, and the host does: release it first, with domain.release',
    );
  });

  it('goes to a plugin once the host has released it, and what the host got no longer works', async () => {
    const { domain } = await domainOf([valve()]);
    const held = domain.get(VALVE);
    expect(domain.get(VALVE)).toBe(held);
    domain.release(VALVE);
    const revoked =
      'RMK_ERR_STATE: the host cannot call test:VALVE.turn: it has released this right. Take it again with domain.get.';
    expect(() => held.turn()).toThrow(revoked);
    await domain.install(user('late'));
    expect(domain.plugins).toMatchObject([{ name: 'valve' }, { name: 'late', state: 'active' }]);
    expect(() => domain.get(VALVE)).toThrow('is a right that late holds');
    await domain.remove('late');
    expect(domain.get(VALVE).turn()).toBe('turned');
    expect(() => held.turn()).toThrow(revoked);
  });

  it('stays with the host while its provider restarts', async () => {
    const { domain } = await domainOf([valve()]);
    domain.get(VALVE);
    await domain.restart('valve');
    expect((await errorOf(domain.install(user('late')))).code).toBe('RMK_ERR_EXCLUSIVE');
    expect(domain.get(VALVE).turn()).toBe('turned');
    domain.release(VALVE);
    await domain.install(user('late'));
  });

  it('cannot be released by a host that does not hold it', async () => {
    const { domain } = await domainOf([valve(), user('first')]);
    expect(() => domain.release(VALVE)).toThrow(
      'RMK_ERR_STATE: domain.release: the host does not hold test:VALVE: release what domain.get gave of an exclusive token',
    );
    expect(() => domain.release(undefined as never)).toThrow(
      'RMK_ERR_INPUT: domain.release: expected a token, such as DETECTIONS, given undefined',
    );
  });
});
