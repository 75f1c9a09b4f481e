import type { EventName } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';

// As JavaScript can write it: the types are for those with a type checker.
const OWN = 'EVT_ROOMTOODRY' as EventName;
const MISSPELT = 'EVT_CHECKPOINTD' as EventName;

const listener = (name: string, events?: readonly EventName[]) =>
  plugin(name, (bus) => void bus.on(OWN, () => {}), events === undefined ? {} : { events });

describe('an event that nobody declares', () => {
  it('cannot be listened to, and the nearest one is offered', async () => {
    const error = await errorOf(domainOf([plugin('deaf', (bus) => void bus.on(MISSPELT, () => {}))]));
    expect(error.code).toBe('RMK_ERR_START');
    expect(error.cause).toMatchObject({ code: 'RMK_ERR_EVENT', plugin: 'deaf' });
    expect(error.message).toContain(
      'RMK_ERR_EVENT: deaf: neither RMK nor a plugin of the domain declares the event EVT_CHECKPOINTD: did you mean EVT_CHECKPOINTED?',
    );
  });

  it('has no topic either', async () => {
    const error = await errorOf(domainOf([plugin('mute', (bus) => void bus.topic(OWN))]));
    expect(error.message).toContain(
      'mute: neither RMK nor a plugin of the domain declares the event EVT_ROOMTOODRY: name it in the `events` of the manifest',
    );
  });

  it('is only a fault of the handler that names it', async () => {
    const { domain } = await domainOf([
      plugin('deaf', (bus) => void bus.on('EVT_VMEXITED', () => void bus.on(OWN, () => {}))),
    ]);
    const faults: unknown[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ plugin: name, error }) => void faults.push([name, error]));
    domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    expect(faults).toEqual([['deaf', expect.objectContaining({ code: 'RMK_ERR_EVENT' })]]);
    expect(domain.plugins).toMatchObject([{ state: 'active' }]);
  });

  it('is unknown to the host too', async () => {
    const { domain } = await domainOf([]);
    expect(() => domain.bus.on(OWN, () => {})).toThrow('RMK_ERR_EVENT: host: neither RMK');
  });
});

describe('an event is declared', () => {
  it('by who listens, by who publishes, or by the host', async () => {
    await expect(domainOf([listener('a', [OWN])])).resolves.toBeDefined();
    await expect(domainOf([listener('a'), plugin('b', undefined, { events: [OWN] })])).resolves.toBeDefined();
    await expect(domainOf([listener('a')], { events: [OWN] })).resolves.toBeDefined();
  });

  it('before the host observes', async () => {
    const observed: boolean[] = [];
    await domainOf([plugin('a', undefined, { events: [OWN] })], {
      observe: (bus) => {
        bus.on(OWN, () => {});
        observed.push(bus.topic(OWN).observed);
      },
    });
    expect(observed).toEqual([true]);
  });

  it('as long as its plugin is installed', async () => {
    const { domain } = await domainOf([plugin('a', undefined, { events: [OWN] })]);
    const kept = domain.bus.topic(OWN);
    await domain.remove('a');
    expect(() => domain.bus.topic(OWN)).toThrow('RMK_ERR_EVENT');
    expect(kept.observed).toBe(false);
  });
});
