import { CHECKPOINTS } from '@rmk/core';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { heartbeatDetector } from '../src/index.js';
import { beatingGuest, regularly } from './beatingGuest.js';
import { spin } from './faults.js';

const MS = 1e6;
const NAME = '@rmk/heartbeat-detector';

/** Something happens after the silence is over, and before the accusation. */
async function duringAccusation(happens: (rig: Rig) => void): Promise<Rig> {
  const plugins = [pinVmio(), pinVmschl(), heartbeatDetector({ device: 'uart', silence: '100ms' })];
  const rig = await startRig({ ...beatingGuest([20]), plugins });
  await rig.advance('60ms');
  const [beatAtNs = 0] = rig
    .events('EVT_VMOUTPUT')
    .map(({ atNs }) => atNs)
    .slice(-1);
  rig.domain.clock.after(beatAtNs + 100 * MS - rig.nowNs - 10, () => void setImmediate(() => happens(rig)));
  await rig.advance('130ms');
  return rig;
}

const timersOf = (rig: Rig) =>
  rig.domain.plugins.find(({ name }) => name === NAME)?.registered.filter((label) => label === 'timer');

describe('a silence that is over is not held against a guest', () => {
  it('that ends meanwhile, and no timer is left', async () => {
    const rig = await duringAccusation(({ domain, nowNs }) =>
      domain.bus.topic('EVT_VMEXITED').publish({ atNs: nowNs, code: 0 }),
    );
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    expect(timersOf(rig)).toEqual([]);
  });

  it('that is restarted meanwhile: it waits for a beat', async () => {
    const rig = await duringAccusation(({ domain, nowNs }) =>
      domain.bus.topic('EVT_VMRESTARTED').publish({ atNs: nowNs }),
    );
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    expect(timersOf(rig)).toEqual([]);
  });
});

describe('the checkpoint that a rollback reopens', () => {
  it('stands for what the guest had said there: a second rollback to it leaves the rule armed', async () => {
    const plugins = [
      ...microcheckpoint({ hang: false, recovery: false }),
      heartbeatDetector({ device: 'uart', silence: '100ms' }),
    ];
    const rig = await startRig({ ...beatingGuest(regularly(20, 20, 60)), plugins });
    await rig.advance('230ms');
    const checkpoints = rig.domain.get(CHECKPOINTS);
    await rig.rollBack(checkpoints.retained[1]?.takenAtNs ?? NaN);
    await rig.advance('20ms');
    const [reopened] = checkpoints.retained;
    expect(reopened?.origin).toBe('rollback');
    await rig.rollBack(reopened?.takenAtNs ?? NaN);
    const rolledBackNs = rig.nowNs;
    await spin(rig);
    await rig.advance('101ms');
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ atNs: rolledBackNs + 100 * MS }]);
  });
});
