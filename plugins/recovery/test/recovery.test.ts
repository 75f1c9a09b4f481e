import { P_VCPU } from '@rmk/core';
import type { ScriptedAct } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { MS, ProtectedVm } from './protectedVm.js';

describe('a recovery', () => {
  it('suspends, rolls back, resumes, and only then publishes its record', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash();
    const names = vm.rig.recorded.map(({ name }) => name);
    expect(names.slice(names.indexOf('EVT_ERRORDETECTED'))).toEqual([
      'EVT_ERRORDETECTED',
      'EVT_VCPUSUSPENDED',
      'EVT_ROLLEDBACK',
      'EVT_VCPURESUMED',
      'EVT_RECOVERED',
    ]);
    expect(vm.guestMs).toBe(30);
    expect(vm.state).toBe('ready');
  });

  it('records what it did, and the risk that the checkpoint holds the error', async () => {
    const guest: readonly ScriptedAct[] = [
      { at: '33ms', does: (face) => face.putOut('console', 'seven b') },
      { at: '34ms', does: (face) => face.store(0, Uint8Array.of(1)) },
    ];
    const vm = await ProtectedVm.start({ machine: { guest } });
    await vm.runTo(37);
    await vm.crash({ place: 'pc 8' });
    const [recovered] = vm.records;
    if (recovered === undefined) throw new Error(vm.rig.timeline());
    const { steps, durationHostNs, ...record } = recovered;
    expect(record).toEqual({
      trigger: {
        kind: 'crash',
        cause: 'illegal-instruction',
        place: 'pc 8',
        atNs: 37 * MS,
        latency: { boundNs: 5 * MS, quantile: 0.95 },
        detector: 'host',
      },
      rung: 'target',
      attempts: [{ rung: 'target', takenAtNs: 30 * MS }],
      occurrence: 1,
      checkpoint: { takenAtNs: 30 * MS, ageNs: 7 * MS, origin: 'interval' },
      corruptionRisk: expect.closeTo(0.05 ** (7 / 5), 12),
      pagesRestored: 1,
      workLostNs: 7 * MS,
      outputStruckBytes: 7,
    });
    const { suspendHostNs, rollbackHostNs, resumeHostNs } = steps;
    // Each is rounded to whole nanoseconds.
    expect(Math.abs(suspendHostNs + rollbackHostNs + resumeHostNs - durationHostNs)).toBeLessThanOrEqual(2);
    expect(Math.min(suspendHostNs, rollbackHostNs, resumeHostNs)).toBeGreaterThan(0);
  });

  it('gives no risk where the checkpoint may hold the error, or may not', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    // Suspect since before the oldest checkpoint.
    await vm.rig.advance('60ms');
    await vm.crash({ suspectSinceNs: 10 * MS });
    expect(vm.rungs).toEqual(['only 1']);
    expect(vm.records[0]).not.toHaveProperty('corruptionRisk');
  });

  it('works from the first moment on', async () => {
    const vm = await ProtectedVm.start({ checkpoints: 'none' });
    await vm.crash();
    expect(vm.rungs).toEqual(['restart 1']);
  });

  it('gives no risk for what came again: it was in the checkpoint used before', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash();
    await vm.runTo(37);
    await vm.crash();
    expect(vm.records.map((record) => 'corruptionRisk' in record)).toEqual([true, false]);
  });

  it('is `recovering` from the detection until the VM runs', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    const states: string[] = [];
    for (const name of ['EVT_VCPUSUSPENDED', 'EVT_ROLLEDBACK', 'EVT_VCPURESUMED', 'EVT_RECOVERED'] as const) {
      vm.rig.domain.bus.on(name, () => void states.push(vm.state));
    }
    await vm.crash();
    expect(states).toEqual(['recovering', 'recovering', 'recovering', 'recovering']);
    expect(vm.state).toBe('ready');
  });

  it('leaves a VM suspended that somebody else has suspended', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    const vcpu = vm.rig.domain.get(P_VCPU);
    const suspension = await vcpu.suspend();
    await vm.crash();
    expect(vm.rungs).toEqual(['target 1']);
    expect(vm.rig.machine.isSuspended).toBe(true);
    await vcpu.resume(suspension);
    expect(vm.rig.machine.isSuspended).toBe(false);
  });
});

describe('errors that are reported together', () => {
  it('are recovered from once, also where one is reported during the rollback', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    const rolledBack = vm.rig.domain.bus.on('EVT_ROLLEDBACK', () => vm.report({ kind: 'third' }));
    vm.report({ kind: 'first' });
    vm.report({ kind: 'second' });
    await vm.rig.advance('1ms');
    rolledBack[Symbol.dispose]();
    expect(vm.records.map(({ trigger }) => trigger.kind)).toEqual(['first']);
  });

  it('are recovered from once where the last is reported of the moment of the rollback, after it', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash({ kind: 'first' });
    await vm.rig.advance('1ms');
    await vm.crash({ kind: 'late', atNs: 37 * MS });
    expect(vm.records.map(({ trigger }) => trigger.kind)).toEqual(['first']);
    await vm.crash({ kind: 'another', atNs: 37 * MS + 1 });
    expect(vm.records.map(({ trigger }) => trigger.kind)).toEqual(['first', 'another']);
  });

  it('are recovered from one after the other where the restored state fails before the response to resume', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    const resumed = vm.rig.domain.bus.on('EVT_VCPURESUMED', () => {
      resumed[Symbol.dispose]();
      vm.report({ kind: 'second' });
      vm.report({ kind: 'the second in the words of another detector' });
    });
    await vm.crash({ kind: 'first' });
    await vm.rig.advance('1ms');
    expect(vm.records.map(({ trigger }) => trigger.kind)).toEqual(['first', 'second']);
    const names = vm.rig.recorded.map(({ name }) => name).filter((name) => /RECOVERED|VCPU/.test(name));
    expect(names).toEqual([
      'EVT_VCPUSUSPENDED',
      'EVT_VCPURESUMED',
      'EVT_RECOVERED',
      'EVT_VCPUSUSPENDED',
      'EVT_VCPURESUMED',
      'EVT_RECOVERED',
    ]);
    expect(vm.state).toBe('ready');
  });

  it('are recovered from once where the second was detected before the rollback', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    const resumed = vm.rig.domain.bus.on('EVT_VCPURESUMED', () => {
      resumed[Symbol.dispose]();
      vm.report({ kind: 'late', atNs: 37 * MS - 1 });
    });
    await vm.crash({ kind: 'first' });
    await vm.rig.advance('1ms');
    expect(vm.records.map(({ trigger }) => trigger.kind)).toEqual(['first']);
  });
});

describe('a failure that comes again', () => {
  it('climbs from the target to each older checkpoint, then to a restart, and then the VM is given up', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    for (let time = 0; time < 3; time += 1) {
      await vm.crash();
      await vm.runTo(37);
    }
    await vm.crash();
    await vm.runTo(37);
    await vm.crash();
    await vm.runTo(37);
    await vm.crash();
    expect(vm.rungs).toEqual(['target 1', 'older 2', 'older 3', 'older 4', 'restart 5']);
    expect(vm.records.slice(0, 4).map(({ checkpoint }) => checkpoint?.takenAtNs)).toEqual([
      30 * MS,
      20 * MS,
      10 * MS,
      0,
    ]);
    const restart = vm.records[4];
    expect(restart?.attempts).toEqual([
      {
        rung: 'target',
        failure: 'the same failure again, and no retained checkpoint is older than the one used before',
      },
      { rung: 'restart' },
    ]);
    expect(restart).toMatchObject({ pagesRestored: 0 });
    for (const absent of ['checkpoint', 'workLostNs', 'outputStruckBytes', 'corruptionRisk'])
      expect(restart).not.toHaveProperty(absent);
    const [failed] = vm.rig.events('EVT_RECOVERYFAILED');
    expect(failed).toMatchObject({
      reason: 'a restart did not help: the same failure came again',
      givenUp: true,
      atNs: vm.rig.nowNs,
      trigger: { kind: 'crash', atNs: vm.rig.nowNs },
      attempts: [
        { rung: 'target', failure: 'the same failure again, after a restart' },
        { rung: 'restart', failure: 'a restart did not help: the same failure came again' },
      ],
    });
    expect(vm.state).toBe('given-up');
    expect(vm.rig.machine.isSuspended).toBe(true);
  });

  it('is new once the guest has come further, and begins at the target', async () => {
    const vm = await ProtectedVm.start();
    for (const guestMs of [37, 47, 57]) {
      await vm.runTo(guestMs);
      await vm.crash();
    }
    expect(vm.rungs).toEqual(['target 1', 'target 1', 'target 1']);
  });

  it('is new after a restart too, once the guest has come further than that', async () => {
    const vm = await ProtectedVm.start({ checkpoints: 'none' });
    await vm.runTo(37);
    await vm.crash();
    expect(vm.guestMs).toBe(0);
    // Nothing was rolled back since, so domain time minus guest time is the time of the restart.
    await vm.runTo(39);
    await vm.crash();
    expect(vm.rungs).toEqual(['restart 1', 'restart 1']);
    expect(vm.failures).toEqual([]);
  });

  it('is recognised after a restart by guest time, which began again', async () => {
    const vm = await ProtectedVm.start({ checkpoints: 'none' });
    await vm.runTo(37);
    await vm.crash();
    await vm.runTo(37);
    await vm.crash();
    expect(vm.rungs).toEqual(['restart 1']);
    expect(vm.failures).toEqual([['a restart did not help: the same failure came again', true]]);
  });

  it('is recognised at another place only where that is the same', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    for (const place of ['pc 8', 'pc 4', 'pc 8']) {
      await vm.crash({ place });
      await vm.runTo(37);
    }
    expect(vm.rungs).toEqual(['target 1', 'target 1', 'older 2']);
  });

  it('is recognised by the last sign of health, however late it is noticed', async () => {
    const hang = (suspectMs: number, vm: ProtectedVm) =>
      vm.crash({ kind: 'hang', suspectSinceNs: vm.rig.nowNs - (vm.guestMs - suspectMs) * MS });
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await hang(31, vm);
    await vm.runTo(35);
    await hang(31, vm);
    expect(vm.rungs).toEqual(['target 1', 'older 2']);
  });

  it('is recognised by a sign of health that one detection has, and that the other is', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash({ suspectSinceNs: 30.5 * MS });
    await vm.runTo(31);
    await vm.crash();
    expect(vm.rungs).toEqual(['target 1', 'older 2']);
  });

  it('is another one right after a rollback, where the detector cannot tell since when the guest is suspect', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash();
    await vm.runTo(30.5);
    await vm.crash();
    expect(vm.rungs).toEqual(['target 1', 'target 1']);
  });

  it('is recognised where a detector that looks now and then comes late by less than its bound', async () => {
    const looked = { kind: 'damage', latency: { boundNs: 8 * MS } };
    for (const [atMs, rungs] of [
      [45, ['target 1', 'older 2']],
      [45.1, ['target 1', 'target 1']],
    ] as const) {
      const vm = await ProtectedVm.start();
      await vm.runTo(37);
      await vm.crash(looked);
      await vm.runTo(atMs);
      await vm.crash(looked);
      expect(vm.rungs).toEqual(rungs);
    }
  });

  it('is new beyond the same point where its latency is its own, however long that may be', async () => {
    for (const own of [
      { latency: { boundNs: 8 * MS, quantile: 0.95 } },
      { latency: { boundNs: 8 * MS }, suspectSinceNs: 0 },
    ]) {
      const vm = await ProtectedVm.start();
      await vm.runTo(37);
      await vm.crash(own);
      await vm.runTo(39);
      await vm.crash({ ...own, ...('suspectSinceNs' in own ? { suspectSinceNs: 40 * MS } : {}) });
      expect(vm.rungs.at(-1)).toMatch(/ 1$/);
    }
  });
});

describe('the time of a detection', () => {
  it('never lies in the future, and neither does the last moment of health', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash({ atNs: 1e18, suspectSinceNs: 1e17 });
    expect(vm.records[0]?.trigger).toMatchObject({ atNs: 37 * MS, suspectSinceNs: 37 * MS });
    await vm.rig.advance('1ms');
    await vm.crash({ kind: 'another' });
    expect(vm.rungs).toHaveLength(2);
  });

  it('is what the detector says where that has passed: the checkpoint is chosen by it', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash({ atNs: 34 * MS });
    expect(vm.records[0]).toMatchObject({ trigger: { atNs: 34 * MS }, checkpoint: { takenAtNs: 20 * MS } });
  });

  it('has no last moment of health where that is not a number', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash({ suspectSinceNs: Number.NaN });
    expect(vm.records[0]?.trigger).not.toHaveProperty('suspectSinceNs');
  });
});
