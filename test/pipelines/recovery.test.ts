import 'reflect-metadata';
import {
  definePlugin,
  P_VCPU,
  provide,
  VIRTUAL_MACHINE,
  type RecoveryRecord,
  type VcpuPin,
  type VirtualMachine,
} from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig, type Rig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { crash } from './faults.js';
import { compressor, goldenAt, goldenEnd } from './guests.js';

const MS = 1e6;

async function start(): Promise<Rig> {
  const rig = await startRig({ ...compressor, plugins: microcheckpoint() });
  await rig.advance('275.137ms');
  return rig;
}

function recordsOf(rig: Rig): readonly RecoveryRecord[] {
  return rig.events('EVT_RECOVERED').map(({ record }) => record);
}

describe('a recovery', () => {
  it('suspends, rolls back, resumes, and only then publishes its record', async () => {
    const rig = await start();
    await crash(rig);
    await rig.advance('1ms');
    const names = rig.recorded.map(({ name }) => name);
    expect(names.slice(names.indexOf('EVT_ERRORDETECTED'))).toEqual([
      'EVT_ERRORDETECTED',
      'EVT_VCPUSUSPENDED',
      'EVT_ROLLEDBACK',
      'EVT_VCPURESUMED',
      'EVT_RECOVERED',
    ]);
  });

  it('gives a record that adds up', async () => {
    const rig = await start();
    await crash(rig);
    await rig.advance('1ms');
    const [record] = recordsOf(rig);
    const [rolledBack] = rig.events('EVT_ROLLEDBACK');
    if (record === undefined || rolledBack === undefined) throw new Error(rig.timeline());
    const { atNs } = rig.events('EVT_ERRORDETECTED')[0] ?? { atNs: Number.NaN };
    const { steps, durationHostNs, ...deterministic } = record;
    expect(deterministic).toEqual({
      trigger: {
        kind: 'crash',
        cause: 'instruction-access-fault in machine mode',
        atNs,
        detector: '@rmk/pin-vmsignal',
      },
      rung: 'target',
      attempts: [{ rung: 'target', takenAtNs: 200 * MS }],
      occurrence: 1,
      checkpoint: { takenAtNs: 200 * MS, ageNs: atNs - 200 * MS, origin: 'interval' },
      pagesRestored: rolledBack.rollback.pagesRestored,
      workLostNs: atNs - 200 * MS,
      outputStruckBytes: rolledBack.rollback.outputStruckBytes,
    });
    const { suspendHostNs, rollbackHostNs, resumeHostNs } = steps;
    // Each is rounded to whole nanoseconds.
    expect(Math.abs(suspendHostNs + rollbackHostNs + resumeHostNs - durationHostNs)).toBeLessThanOrEqual(2);
    expect(Math.min(suspendHostNs, rollbackHostNs, resumeHostNs)).toBeGreaterThanOrEqual(0);
  });

  it('strikes the output of the undone time from committed output, though it has left', async () => {
    const golden = await goldenEnd(compressor);
    const rig = await start();
    await crash(rig);
    expect(await rig.runToEnd()).toBe(0);
    const struck = recordsOf(rig).reduce((sum, { outputStruckBytes = 0 }) => sum + outputStruckBytes, 0);
    expect(struck).toBeGreaterThan(0);
    expect(rig.output).toBe(golden.output);
    expect(rig.machine.wireOutput.length - rig.machine.committedOutput.length).toBe(struck);
  });

  it('is one, however many detectors report the error', async () => {
    const rig = await start();
    const detected = rig.domain.bus.topic('EVT_ERRORDETECTED');
    const report = (kind: string) => detected.publish({ atNs: rig.nowNs, kind, cause: 'the same' });
    report('first');
    report('second');
    await rig.advance('0ms');
    report('third, which has not noticed that time has been turned back');
    await rig.advance('1ms');
    expect(recordsOf(rig).map(({ trigger }) => trigger.kind)).toEqual(['first']);
    expect(rig.guestState).toEqual(await goldenAt(compressor, rig.machine.guestNs));
  });

  it('of another error, once the ring has refilled, begins at the target again', async () => {
    const rig = await start();
    await crash(rig);
    await rig.advance('301ms');
    await crash(rig);
    await rig.advance('1ms');
    expect(recordsOf(rig).map(({ rung, occurrence }) => `${rung} ${occurrence}`)).toEqual([
      'target 1',
      'target 1',
    ]);
  });

  it('of another error before that is taken for the same one, and goes further back', async () => {
    const rig = await start();
    await crash(rig);
    await rig.advance('299ms');
    await crash(rig);
    await rig.advance('1ms');
    expect(recordsOf(rig).map(({ rung, occurrence }) => `${rung} ${occurrence}`)).toEqual([
      'target 1',
      'restart 2',
    ]);
  });
});

describe('recovery does not take a detector at its word', () => {
  it('a time in the future is now, and later errors are not overlooked for it', async () => {
    const rig = await start();
    const detected = rig.domain.bus.topic('EVT_ERRORDETECTED');
    detected.publish({ atNs: 1e18, kind: 'mistaken', cause: 'another clock', suspectSinceNs: 1e18 });
    await rig.advance('1ms');
    await crash(rig);
    expect(await rig.runToEnd()).toBe(0);
    const records = recordsOf(rig);
    expect(records.map(({ trigger }) => trigger.kind)).toEqual(['mistaken', 'crash']);
    expect(records[0]?.trigger).toMatchObject({ atNs: 275.137 * MS, suspectSinceNs: 275.137 * MS });
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });

  it('what is no time is none', async () => {
    const rig = await start();
    const detected = rig.domain.bus.topic('EVT_ERRORDETECTED');
    detected.publish({ atNs: Number.NaN, kind: 'mistaken', cause: 'no clock', suspectSinceNs: Number.NaN });
    await rig.advance('1ms');
    expect(recordsOf(rig).map(({ trigger }) => [trigger.atNs, trigger.suspectSinceNs])).toEqual([
      [275.137 * MS, undefined],
    ]);
  });
});

describe('a VM that was suspended from outside', () => {
  it('is mended and stays suspended until it is resumed from there', async () => {
    const rig = await start();
    await rig.domain.get(P_VCPU).suspend();
    await rig.machine.raise('illegal-instruction');
    await rig.advance('1ms');
    expect(recordsOf(rig)).toHaveLength(1);
    const { guestNs } = rig.machine;
    await rig.advance('1ms');
    expect(rig.machine.guestNs).toBe(guestNs);
    await rig.domain.get(P_VCPU).resume();
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });
});

describe('a P_VCPU that cannot resume', () => {
  @injectable()
  class StuckVcpu implements VcpuPin {
    readonly registers = [];
    readonly suspend: VcpuPin['suspend'];
    readonly restart: VcpuPin['restart'];
    readonly readRegister: VcpuPin['readRegister'];
    readonly writeRegister: VcpuPin['writeRegister'];

    constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine) {
      this.suspend = () => machine.suspend();
      this.restart = () => machine.restart();
      this.readRegister = (name) => machine.readRegister(name);
      this.writeRegister = (name, value) => machine.writeRegister(name, value);
    }

    async resume(): Promise<void> {
      throw new Error('stuck');
    }
  }
  const stuckVcpu = definePlugin({
    name: 'stuck-vcpu',
    version: '1.0.0',
    rmk: '^0.1.0',
    requires: [VIRTUAL_MACHINE],
    provides: [provide(P_VCPU, StuckVcpu)],
  });

  it('ends in EVT_RECOVERYFAILED, not in silence', async () => {
    const others = microcheckpoint().filter(({ definition }) => definition.name !== '@rmk/pin-vcpu');
    const rig = await startRig({ ...compressor, plugins: [stuckVcpu(), ...others], faults: 'expected' });
    await rig.advance('275.137ms');
    await crash(rig);
    await rig.advance('1ms');
    expect(recordsOf(rig)).toEqual([]);
    expect(rig.events('EVT_RECOVERYFAILED').map(({ reason }) => reason)).toEqual([
      'the VM could not be suspended or resumed: stuck',
    ]);
  });
});
