import { P_VMSCHL, type Facts } from '@rmk/core';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { pinVmschl } from '../src/index.js';

describe('P_VMSCHL', () => {
  it('publishes what the VM did, once a slice', async () => {
    const rig = await startRig({
      guest: 'tasks',
      plugins: [pinVmschl()],
      hypervisor: { slice: '4ms' },
      record: ['EVT_VMSCHEDULED'],
    });
    const facts: Facts['scheduled'][] = [];
    rig.machine.observe('scheduled', (fact) => void facts.push(fact));
    await rig.advance('100ms');
    expect(rig.domain.get(P_VMSCHL).schedulingIntervalNs).toBe(4e6);
    expect(facts.map(({ atNs }) => atNs)).toEqual(
      Array.from({ length: 25 }, (_, index) => (index + 1) * 4e6),
    );
    expect(rig.events('EVT_VMSCHEDULED')).toEqual(facts);
    for (const { cpuNs, idleNs, haltedNs } of facts) expect(cpuNs + idleNs + haltedNs).toBe(4e6);
    // The guests' tick of 1 ms gives signs of progress in each slice.
    const signs = new Set(facts.flatMap(({ progress }) => progress.map(({ sign }) => sign)));
    expect(signs).toEqual(new Set(['context-switch', 'timer-rearmed']));
  });
});
