import type { Plugin } from '@rmk/core';
import { pinVcpu } from '@rmk/pin-vcpu';
import { startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { Scenario } from '../src/index.js';

const plugins: readonly Plugin[] = [pinVcpu()];

/** Plays a script while the guest runs, and gives what it saw. */
async function play<T>(rig: Rig, script: (scenario: Scenario) => Promise<T>): Promise<T> {
  const [result] = await Promise.all([Scenario.play(rig.domain, script), rig.advance('50ms')]);
  return result;
}

describe('a scenario', () => {
  it('goes on at the exact instruction for which it waited, and holds the VM while it acts', async () => {
    const rig = await startRig({ guest: 'tasks', plugins });
    const seen = await play(rig, async (scenario) => {
      const moments: number[] = [];
      for (let step = 0; step < 5; step++) {
        await scenario.wait('1.23ms');
        await new Promise((resolve) => setTimeout(resolve, 2));
        moments.push(scenario.nowNs);
      }
      return moments;
    });
    expect(seen).toEqual([1.23e6, 2.46e6, 3.69e6, 4.92e6, 6.15e6]);
  });

  it('goes on from an event, or from the time-out, whichever comes first', async () => {
    const rig = await startRig({ guest: 'tasks', plugins });
    const seen = await play(rig, async (scenario) => {
      const first = await scenario.next(['EVT_VCPUSUSPENDED'], 1e6);
      rig.domain.clock.after(2e6, () =>
        rig.domain.bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: rig.nowNs }),
      );
      const second = await scenario.next(['EVT_VCPUSUSPENDED'], 5e6);
      return [first.name, second.name, scenario.nowNs];
    });
    expect(seen).toEqual(['timeout', 'EVT_VCPUSUSPENDED', 3e6]);
  });

  it('lets the VM run on when it ends, also when it fails', async () => {
    const rig = await startRig({ guest: 'tasks', plugins });
    const [played] = await Promise.allSettled([
      Scenario.play(rig.domain, async (scenario) => {
        await scenario.wait('1ms');
        throw new Error('of the script');
      }),
      rig.advance('50ms'),
    ]);
    expect(played).toEqual({ status: 'rejected', reason: new Error('of the script') });
    expect(rig.nowNs).toBe(50e6);
  });
});
