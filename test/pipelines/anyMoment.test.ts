import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig } from '@rmk/testing';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { crash, failureExit, halt, hang } from './faults.js';
import { compressor } from './guests.js';

const CYCLE_NS = 10;
const INTERVAL_NS = 10e6;
const LATEST_CYCLE = 15_000_000;

const algorithm = fc.oneof(
  fc.constant(cowb),
  fc.constantFrom(1, 4, 64).map((clusterPages) => () => cowp({ clusterPages })),
);

it('a fault at any moment is undone without a trace, or costs a restart while there is nothing to go back to', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: LATEST_CYCLE }),
      fc.constantFrom(crash, failureExit, hang, halt),
      algorithm,
      async (cycle, inject, checkpoints) => {
        const plugins = microcheckpoint({
          interval: '10ms',
          hang: { threshold: '30ms' },
          algorithm: checkpoints(),
        });
        const rig = await startRig({ ...compressor, plugins, hypervisor: { slice: '2ms' } });
        await rig.advance(`${cycle * CYCLE_NS}ns`);
        const injectedAtNs = rig.nowNs;
        await inject(rig);
        await rig.advance('60ms');
        // A guest that had given no sign yet, since it had only just booted, is not known to hang.
        const records = rig.events('EVT_RECOVERED').map(({ record }) => record);
        fc.pre(records.length > 0 || injectedAtNs > INTERVAL_NS);
        expect(records).toHaveLength(1);
        const target = records[0]?.checkpoint;
        if (target === undefined) expect(injectedAtNs).toBeLessThan(2 * INTERVAL_NS);
        else expect(target.takenAtNs).toBeLessThanOrEqual(injectedAtNs);
        expect(rig.guestState).toEqual(await goldenRun(compressor, rig.machine.guestNs));
        await rig.stop();
      },
    ),
    { numRuns: 25, seed: 1 },
  );
});
