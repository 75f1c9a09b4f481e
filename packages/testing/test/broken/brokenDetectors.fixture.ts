import 'reflect-metadata';
import { BUS, definePlugin, nanoseconds, OPTIONS, P_VMSCHL, type Bus, type Module } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { z } from 'zod';
import { describeDetector, HANGS, withoutProgress } from '../../src/conformance/index.js';

const THRESHOLD = '100ms';
const flaws = z.enum(['never', 'once', 'too early', 'accuses what was undone']);
const THRESHOLD_NS = {
  never: Infinity,
  once: nanoseconds(THRESHOLD),
  'too early': nanoseconds('90ms'),
  'accuses what was undone': nanoseconds(THRESHOLD),
};

/** Detects hangs by the time since the last sign of progress, with one flaw. */
@injectable()
class BrokenDetector implements Module {
  private lastSignNs: number | undefined;
  private accusations = 0;
  private isRolledBack = false;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly flaw: z.output<typeof flaws>,
  ) {}

  start(): void {
    const detected = this.bus.topic('EVT_ERRORDETECTED');
    this.bus.on('EVT_VMSCHEDULED', ({ atNs, idleNs, progress }) => {
      const signs = progress.map((sign) => sign.atNs);
      if (signs.length > 0) this.lastSignNs = Math.max(...signs);
      else if (idleNs > 0 && this.lastSignNs !== undefined) this.lastSignNs = atNs;
      const silentSinceNs = this.lastSignNs;
      if (silentSinceNs === undefined) return;
      const accusesAnyway = this.flaw === 'accuses what was undone' && this.isRolledBack;
      this.isRolledBack = false;
      if (atNs - silentSinceNs <= THRESHOLD_NS[this.flaw] && !accusesAnyway) return;
      if (this.flaw === 'once' && this.accusations > 0) return;
      this.accusations += 1;
      this.lastSignNs = atNs;
      detected.publish({ atNs, kind: 'hang', cause: 'no progress', suspectSinceNs: silentSinceNs });
    });
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => {
      this.lastSignNs = atNs;
      this.isRolledBack = true;
    });
    this.bus.on('EVT_VMRESTARTED', () => void (this.lastSignNs = undefined));
  }
}

const brokenDetector = definePlugin({
  name: 'rmk-plugin-broken-detector',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VMSCHL],
  modules: [BrokenDetector],
  options: flaws,
  detects: (_, { schedulingIntervalNs }) => [
    { kind: 'hang', boundNs: nanoseconds(THRESHOLD) + 1.5 * schedulingIntervalNs },
  ],
});

for (const one of flaws.options) {
  describeDetector(`with a flaw: ${one}`, {
    plugin: () => brokenDetector(one),
    finds: HANGS.slice(0, 1),
    warmUp: '75.13ms',
    busy: { guest: { guest: 'tasks' }, live: (rig) => rig.advance('300ms') },
    idle: { guest: { guest: 'server' }, live: (rig) => rig.advance('2s') },
    silence: { threshold: THRESHOLD, life: withoutProgress },
  });
}
