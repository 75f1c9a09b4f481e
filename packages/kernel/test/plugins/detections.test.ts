import 'reflect-metadata';
import {
  CHECKPOINTS,
  definePlugin,
  DETECTIONS,
  provide,
  RmkError,
  type Checkpoints,
  type Detections,
  type Plugin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { domainOf, plugin } from '../testDomain.js';

const detector = definePlugin({
  name: 'hang-detector',
  version: '1.0.0',
  rmk: '*',
  options: z.object({ boundMs: z.number() }),
  detects: ({ boundMs }, { schedulingIntervalNs }) => [
    { kind: 'hang', boundNs: boundMs * 1e6 + schedulingIntervalNs },
  ],
});

/** An agent that keeps `retain` checkpoints 50 ms apart, and keeps what it was injected in `seen`. */
function agent(retain: number, seen: Detections[] = []): Plugin {
  @injectable()
  class Agent implements Checkpoints {
    readonly retained = [];
    readonly retain = retain;
    readonly intervalNs = 50e6;

    constructor(@inject(DETECTIONS) detections: Detections) {
      seen.push(detections);
    }

    use(): Disposable {
      return { [Symbol.dispose]: () => {} };
    }

    take(): Promise<never> {
      return Promise.reject(new RmkError('RMK_ERR_UNPROTECTED', 'there is no algorithm'));
    }

    rollback(): Promise<never> {
      return Promise.reject(new RmkError('RMK_ERR_UNPROTECTED', 'there is no checkpoint'));
    }
  }
  return definePlugin({
    name: 'agent',
    version: '1.0.0',
    rmk: '*',
    requires: [DETECTIONS],
    provides: [provide(CHECKPOINTS, Agent)],
  })();
}

describe('the detections', () => {
  it('are known to a plugin that starts before the detectors, and follow what comes and goes', async () => {
    const seen: Detections[] = [];
    let atStart: number | undefined;
    const { domain } = await domainOf([
      agent(9, seen),
      plugin('early', () => {
        atStart = seen[0]?.longestBoundNs;
      }),
      detector({ boundMs: 200 }),
    ]);
    expect(atStart).toBe(210e6);
    const [detections] = seen;
    expect(detections?.all).toEqual([{ kind: 'hang', boundNs: 210e6, plugin: 'hang-detector' }]);
    expect(domain.get(DETECTIONS).longestBoundNs).toBe(210e6);
    await domain.remove('hang-detector');
    expect(detections?.all).toEqual([]);
    expect(detections?.longestBoundNs).toBe(0);
    await domain.install(detector({ boundMs: 100 }));
    expect(detections?.longestBoundNs).toBe(110e6);
  });

  it('do not count a detector in quarantine', async () => {
    const failing = definePlugin({
      name: 'failing',
      version: '1.0.0',
      rmk: '*',
      detects: () => [{ kind: 'crash', boundNs: 5 }],
      modules:
        plugin('inner', (bus) => {
          bus.on('EVT_LOGLOST', () => {
            throw new Error('broken');
          });
        }).definition.modules ?? [],
    })();
    const { domain } = await domainOf([failing], { supervision: { quarantineAfterFaults: 1 } });
    expect(domain.get(DETECTIONS).longestBoundNs).toBe(5);
    domain.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: '' });
    expect(domain.get(DETECTIONS).all).toEqual([]);
  });
});

describe('the warning of a short history', () => {
  async function warningsOf(plugins: readonly Plugin[]) {
    const warnings: string[] = [];
    const { domain } = await domainOf(plugins, {
      observe: (bus) =>
        void bus.on(
          'EVT_WARNING',
          ({ code, message, source }) => void warnings.push(`${source} ${code} ${message}`),
        ),
    });
    return { domain, warnings };
  }

  it('has the numbers and says what to do', async () => {
    const { warnings } = await warningsOf([agent(2), detector({ boundMs: 200 })]);
    expect(warnings).toEqual([
      'kernel RMK_WARN_HISTORY 2 checkpoints 50 ms apart reach back 50 ms, and hang-detector may report a hang ' +
        '210 ms after it arose: retain at least 6 checkpoints, or take them further apart',
    ]);
  });

  it('is not given where the history is just long enough, or where there is no agent', async () => {
    expect((await warningsOf([agent(5), detector({ boundMs: 190 })])).warnings).toEqual([]);
    expect((await warningsOf([detector({ boundMs: 200 })])).warnings).toEqual([]);
  });

  it('comes with each change that leaves the history too short', async () => {
    const { domain, warnings } = await warningsOf([agent(2)]);
    expect(warnings).toHaveLength(0);
    await domain.install(detector({ boundMs: 200 }));
    expect(warnings).toHaveLength(1);
    await domain.install(plugin('other'));
    expect(warnings).toHaveLength(2);
    await domain.remove('other');
    expect(warnings).toHaveLength(3);
    await domain.remove('hang-detector');
    expect(warnings).toHaveLength(3);
  });
});
