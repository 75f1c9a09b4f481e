import 'reflect-metadata';
import { definePlugin, DETECTIONS, type Detections, type Plugin } from '@rmk/core';
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

/** Keeps what it was injected in `seen`. */
function reader(seen: Detections[]): Plugin {
  @injectable()
  class Reader {
    constructor(@inject(DETECTIONS) private readonly detections: Detections) {}

    start(): void {
      seen.push(this.detections);
    }
  }
  return definePlugin({
    name: 'reader',
    version: '1.0.0',
    rmk: '*',
    requires: [DETECTIONS],
    modules: [Reader],
  })();
}

describe('the detections', () => {
  it('are known to a plugin that starts before the detectors, and follow what comes and goes', async () => {
    const seen: Detections[] = [];
    let atStart: number | undefined;
    const { domain } = await domainOf([
      reader(seen),
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
