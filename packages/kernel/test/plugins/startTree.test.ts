import { provide, token, type Module } from '@rmk/core';
import { startTree } from '@rmk/kernel';
import { describe, expect, it } from 'vitest';
import { domainOf, plugin } from '../testDomain.js';

class Anything implements Module {
  stop(): void {}
}
const PIN = token<Anything>('test:TREE_PIN');
const AGENT = token<Anything>('test:TREE_AGENT');
const OTHER = token<Anything>('test:TREE_OTHER');

/** Durations are the host's. */
const withoutTimes = (tree: string): string => tree.replaceAll(/ +\d+\.\d\d ms/g, ' _ ms');

describe('the start tree', () => {
  it('shows each plugin once, below the deepest of those that it depends on, with its state and what its start took', async () => {
    const { domain } = await domainOf([
      plugin('pin', undefined, { provides: [provide(PIN, Anything)] }),
      plugin('agent', undefined, { requires: [PIN], provides: [provide(AGENT, Anything)] }),
      plugin('other-pin', undefined, { provides: [provide(OTHER, Anything)] }),
      plugin('recovery', undefined, { requires: [AGENT, OTHER] }),
      plugin('algorithm', undefined, { requires: [AGENT] }),
      plugin('free'),
    ]);
    expect(withoutTimes(startTree(domain))).toBe(
      [
        'test: 6 plugins, started in _ ms',
        '├─ pin 1.0.0              active _ ms',
        '│  └─ agent 1.0.0         active _ ms',
        '│     ├─ recovery 1.0.0   active _ ms  needs agent, other-pin',
        '│     └─ algorithm 1.0.0  active _ ms',
        '├─ other-pin 1.0.0        active _ ms',
        '└─ free 1.0.0             active _ ms',
      ].join('\n'),
    );
  });

  it('shows why a plugin failed', async () => {
    const bad = plugin(
      'bad',
      () => {
        throw new Error('no device');
      },
      { provides: [provide(PIN, Anything)], onFailure: 'continue' },
    );
    const { domain } = await domainOf([bad, plugin('module', undefined, { requires: [PIN] })]);
    const [, ...lines] = withoutTimes(startTree(domain)).split('\n');
    expect(lines).toEqual([
      '└─ bad 1.0.0        failed _ ms',
      '     RMK_ERR_START: bad: start() of Scripted threw: no device',
      '   └─ module 1.0.0  failed _ ms',
      expect.stringContaining(
        '        RMK_ERR_DEPENDENCY: module cannot start: it requires test:TREE_PIN of bad, which has failed',
      ),
    ]);
  });

  it('shows why a plugin is quarantined, as long as it is', async () => {
    const ailing = plugin('ailing', (bus) => {
      bus.on('EVT_VMEXITED', () => {
        throw new Error('no pulse');
      });
    });
    const { domain } = await domainOf([ailing], { supervision: { quarantineAfterFaults: 1 } });
    domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    expect(withoutTimes(startTree(domain)).split('\n').slice(1)).toEqual([
      '└─ ailing 1.0.0  quarantined _ ms',
      '     1 fault, in EVT_VMEXITED: no pulse',
    ]);
    await domain.restart('ailing');
    expect(startTree(domain)).not.toContain('no pulse');
  });

  it('of nothing is a line', async () => {
    const { domain } = await domainOf([]);
    expect(startTree(domain)).toBe('test: 0 plugins, started in 0.00 ms');
  });
});
