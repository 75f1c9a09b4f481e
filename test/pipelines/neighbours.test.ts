import type { RmkEvent } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig, type Rig, type RigOptions } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { crash, hang } from './faults.js';
import { compressor, goldenEnd, tasks } from './guests.js';

const RECORDED_BESIDES = ['EVT_VMSCHEDULED', 'EVT_PAGEFAULT'] as const;

function withPreset(guest: typeof compressor | typeof tasks, hypervisor?: Rig['hypervisor']): RigOptions {
  const options = { ...guest, plugins: microcheckpoint(), record: RECORDED_BESIDES };
  return hypervisor === undefined ? options : { ...options, hypervisor };
}

/** Everything that was reported of a VM, without what is measured in host time. */
function reported(rig: Rig) {
  const withoutHostTime = ({ closed, ...event }: RmkEvent<'EVT_CHECKPOINTED'>) => ({
    ...event,
    closed: closed === undefined ? closed : { ...closed, pauseHostNs: 0 },
  });
  return {
    timeline: rig.timeline(),
    scheduled: rig.events('EVT_VMSCHEDULED'),
    pageFaults: rig.events('EVT_PAGEFAULT'),
    output: rig.events('EVT_VMOUTPUT'),
    checkpointed: rig.events('EVT_CHECKPOINTED').map(withoutHostTime),
  };
}

describe('two VMs on one hypervisor', () => {
  it('have nothing in common: one fails and is recovered, the other runs as if it were alone', async () => {
    const alone = await startRig(withPreset(tasks));
    await alone.advance('800ms');

    const failing = await startRig(withPreset(compressor));
    const neighbour = await startRig(withPreset(tasks, failing.hypervisor));
    await failing.advance('275.137ms');
    await crash(failing);
    await failing.advance('60ms');
    await hang(failing);
    await failing.advance(`${800e6 - failing.nowNs}ns`);

    expect(failing.events('EVT_RECOVERED').map(({ record }) => record.trigger.kind)).toEqual([
      'crash',
      'hang',
    ]);
    expect(neighbour.nowNs).toBe(800e6);
    expect(neighbour.events('EVT_RECOVERED')).toEqual([]);
    expect(neighbour.guestState).toEqual(alone.guestState);
    expect(reported(neighbour)).toEqual(reported(alone));

    await failing.hypervisor.run({ untilNs: 2000e6 });
    expect(failing.guestState).toEqual(await goldenEnd(compressor));
  });
});
