import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTING,
  CHECKPOINTS,
  definePlugin,
  DETECTIONS,
  OPTIONS,
  P_PTABLE,
  P_VCPU,
  provide,
  RECOVERY,
  VIRTUAL_MACHINE,
  type Bus,
  type DomainRecovery,
  type EpochPlan,
  type RecoveryRecord,
  type RollbackTarget,
  type RolledBack,
  type Suspension,
  type VcpuPin,
  type VirtualMachine,
} from '@rmk/core';
import { PageTable } from '@rmk/pin-ptable';
import { Vcpu } from '@rmk/pin-vcpu';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { recovery } from '@rmk/recovery';
import { startRig, type Rig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
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
        latency: { boundNs: 50 * MS, quantile: 0.95 },
        detector: '@rmk/pin-vmsignal',
      },
      rung: 'target',
      attempts: [{ rung: 'target', takenAtNs: 200 * MS }],
      occurrence: 1,
      checkpoint: { takenAtNs: 200 * MS, ageNs: atNs - 200 * MS, origin: 'interval' },
      corruptionRisk: expect.closeTo(0.05 ** ((atNs - 200 * MS) / (50 * MS)), 12),
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

  it('of another error begins at the target again, however soon it comes', async () => {
    for (const afterMs of [1, 45, 299]) {
      const rig = await start();
      await crash(rig);
      await rig.advance(`${afterMs}ms`);
      await crash(rig);
      await rig.advance('1ms');
      expect(recordsOf(rig).map(({ rung, occurrence }) => `${rung} ${occurrence}`)).toEqual([
        'target 1',
        'target 1',
      ]);
      await rig.stop();
    }
  });

  it('of another error does so with two checkpoints too, and never costs a restart', async () => {
    for (const afterMs of [1, 20, 45, 70, 160]) {
      const rig = await startRig({ ...compressor, plugins: microcheckpoint({ hang: false }) });
      expect(rig.domain.get(CHECKPOINTS).retain).toBe(2);
      await rig.advance('275.137ms');
      await crash(rig);
      await rig.advance(`${afterMs}ms`);
      await crash(rig);
      await rig.advance('1ms');
      // The checkpoint at the state that the first recovery left is all there is for another interval.
      expect(recordsOf(rig).map(({ rung }) => rung)).toEqual(['target', afterMs < 50 ? 'only' : 'target']);
      // A checkpoint as old as that holds the error with the odds of its age.
      expect(recordsOf(rig)[1]?.corruptionRisk).toBeCloseTo(
        0.05 ** ((recordsOf(rig)[1]?.checkpoint?.ageNs ?? NaN) / (50 * MS)),
        9,
      );
      expect(rig.guestState).toEqual(await goldenAt(compressor, rig.machine.guestNs));
      await rig.stop();
    }
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
    const mistaken = { kind: 'mistaken', cause: 'no clock', suspectSinceNs: Number.NaN };
    expect(() => detected.publish({ ...mistaken, atNs: Number.NaN })).toThrow('RMK_ERR_INPUT');
    detected.publish({ ...mistaken, atNs: rig.domain.clock.now() });
    await rig.advance('1ms');
    expect(recordsOf(rig).map(({ trigger }) => [trigger.atNs, trigger.suspectSinceNs])).toEqual([
      [275.137 * MS, undefined],
    ]);
  });
});

describe('a VM that was suspended from outside', () => {
  it('is repaired and stays suspended until it is resumed from there', async () => {
    const rig = await start();
    const suspension = await rig.domain.get(P_VCPU).suspend();
    await rig.machine.raise('illegal-instruction');
    await rig.advance('1ms');
    expect(recordsOf(rig)).toHaveLength(1);
    const { guestNs } = rig.machine;
    await rig.advance('1ms');
    expect(rig.machine.guestNs).toBe(guestNs);
    await rig.domain.get(P_VCPU).resume(suspension);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });
});

describe('somebody else who suspends the VM', () => {
  it('at the detection keeps it suspended over the recovery', async () => {
    const rig = await start();
    const suspensions: Suspension[] = [];
    rig.domain.bus.on('EVT_ERRORDETECTED', async () => {
      suspensions.push(await rig.domain.get(P_VCPU).suspend());
    });
    await crash(rig);
    await rig.advance('1ms');
    expect(recordsOf(rig)).toHaveLength(1);
    const { guestNs } = rig.machine;
    await rig.advance('1ms');
    expect(rig.machine.guestNs).toBe(guestNs);
    for (const suspension of suspensions) await rig.domain.get(P_VCPU).resume(suspension);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });

  it('and resumes it in the middle of a recovery leaves the next recovery as good as the first', async () => {
    const rig = await start();
    const vcpu = rig.domain.get(P_VCPU);
    const suspension = await vcpu.suspend();
    const rolledBack = rig.domain.bus.on('EVT_ROLLEDBACK', () => vcpu.resume(suspension));
    await rig.machine.raise('illegal-instruction');
    await rig.advance('100ms');
    rolledBack[Symbol.dispose]();
    await crash(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(recordsOf(rig)).toHaveLength(2);
    expect(rig.events('EVT_VCPURESUMED')).toHaveLength(2);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });
});

/** A third party's P_VCPU, whose next calls fail. */
class Failing {
  suspend = 0;
  resume = 0;
}

@injectable()
class FailingVcpu extends Vcpu {
  constructor(
    @inject(VIRTUAL_MACHINE) machine: VirtualMachine,
    @inject(BUS) bus: Bus,
    @inject(OPTIONS) private readonly failing: Failing,
  ) {
    super(machine, bus);
  }

  override async suspend(): Promise<Suspension> {
    if (this.failing.suspend-- > 0) throw new Error('stuck');
    return super.suspend();
  }

  override async resume(suspension: Suspension): Promise<void> {
    if (this.failing.resume-- > 0) throw new Error('stuck');
    return super.resume(suspension);
  }
}

const failingVcpu = definePlugin({
  name: 'failing-vcpu',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_VCPU, FailingVcpu)],
  options: z.instanceof(Failing),
});

describe('a P_VCPU that cannot', () => {
  const retries = (done: string, times: number) =>
    Array<string>(times).fill(`the VM could not be ${done}, which is tried again: stuck`);

  async function startFailing() {
    const failing = new Failing();
    const others = microcheckpoint().filter(({ definition }) => definition.name !== '@rmk/pin-vcpu');
    const rig = await startRig({ ...compressor, plugins: [failingVcpu(failing), ...others] });
    await rig.advance('275.137ms');
    return { rig, failing };
  }

  const warnings = (rig: Rig) =>
    rig.events('EVT_WARNING').map(({ code, message }) => {
      expect(code).toBe('RMK_WARN_VCPU');
      return message;
    });

  it.each(['suspend', 'resume'] as const)(
    '%s for three times is asked again, and recovers',
    async (operation) => {
      const { rig, failing } = await startFailing();
      failing[operation] = 3;
      await crash(rig);
      expect(await rig.runToEnd()).toBe(0);
      expect(warnings(rig)).toEqual(retries(`${operation.replace(/e$/, '')}ed`, 3));
      expect(recordsOf(rig).map(({ rung }) => rung)).toEqual(['target']);
      expect(rig.guestState).toEqual(await goldenEnd(compressor));
    },
  );

  it('suspend at all ends in EVT_RECOVERYFAILED, and the next error is recovered from', async () => {
    const { rig, failing } = await startFailing();
    failing.suspend = 4;
    await crash(rig);
    await rig.advance('1ms');
    expect(rig).toHaveFailedToRecover({
      reason: 'the VM could not be suspended: stuck',
      givenUp: false,
      times: 1,
    });
    expect(warnings(rig)).toEqual(retries('suspended', 3));
    expect(rig.domain.get(RECOVERY).state).toBe('ready');
    expect(await rig.runToEnd()).toBe(0);
    // The guest ran on and crashed again.
    expect(recordsOf(rig).map(({ rung }) => rung)).toEqual(['target']);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });

  it('resume at all has the VM given up, which stays suspended whatever others do, until it is restarted', async () => {
    const { rig, failing } = await startFailing();
    const vcpu = rig.domain.get(P_VCPU);
    failing.resume = 4;
    await crash(rig);
    await rig.advance('1ms');
    expect(recordsOf(rig)).toEqual([]);
    expect(rig).toHaveFailedToRecover({
      reason: 'the VM was recovered, but could not be resumed: stuck',
      givenUp: true,
      times: 1,
    });
    expect(warnings(rig)).toEqual(retries('resumed', 3));
    expect(rig.events('EVT_ROLLEDBACK')).toHaveLength(1);
    expect(rig.domain.get(RECOVERY).state).toBe('given-up');
    await vcpu.resume(await vcpu.suspend());
    const { nowNs } = rig;
    await rig.advance('10ms');
    expect(rig.nowNs).toBe(nowNs);
    await vcpu.restart();
    expect(rig.domain.get(RECOVERY).state).toBe('ready');
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });

  it('resume even after the VM was restarted has it given up again', async () => {
    const { rig, failing } = await startFailing();
    failing.resume = Infinity;
    await crash(rig);
    await rig.advance('1ms');
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('1ms');
    expect(rig.events('EVT_RECOVERYFAILED').map(({ reason, givenUp }) => [reason, givenUp])).toEqual([
      ['the VM was recovered, but could not be resumed: stuck', true],
      ['the VM was restarted, but could not be resumed: stuck', true],
    ]);
    expect(rig.domain.get(RECOVERY).state).toBe('given-up');
  });
});

/** Called once the VM runs, and before whoever resumed it knows. */
type Observer = () => void;

@injectable()
class ObservedVcpu extends Vcpu {
  constructor(
    @inject(VIRTUAL_MACHINE) machine: VirtualMachine,
    @inject(BUS) bus: Bus,
    @inject(OPTIONS) private readonly observers: Observer[],
  ) {
    super(machine, bus);
  }

  override async resume(suspension: Suspension): Promise<void> {
    await super.resume(suspension);
    for (const observer of this.observers.splice(0)) observer();
  }
}

const observedVcpu = definePlugin({
  name: 'observed-vcpu',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_VCPU, ObservedVcpu)],
  options: z.custom<Observer[]>(Array.isArray),
});

describe('an error of the restored state that is reported together with the response to resume', () => {
  it('is recovered from too, once and after the recovery that it follows', async () => {
    const observers: Observer[] = [];
    const others = microcheckpoint().filter(({ definition }) => definition.name !== '@rmk/pin-vcpu');
    const rig = await startRig({ ...compressor, plugins: [observedVcpu(observers), ...others] });
    await rig.advance('275.137ms');
    const detected = rig.domain.bus.topic('EVT_ERRORDETECTED');
    const report = (kind: string) => detected.publish({ atNs: rig.nowNs, kind, cause: 'a cause' });
    observers.push(() => {
      report('second');
      report('the second in the words of another detector');
    });
    report('first');
    await rig.advance('1ms');
    expect(recordsOf(rig).map(({ trigger }) => trigger.kind)).toEqual(['first', 'second']);
    expect(rig.domain.get(RECOVERY).state).toBe('ready');
    const names = rig.recorded.map(({ name }) => name);
    expect(names.filter((name) => name === 'EVT_RECOVERED' || name.startsWith('EVT_VCPU'))).toEqual([
      'EVT_VCPUSUSPENDED',
      'EVT_VCPURESUMED',
      'EVT_RECOVERED',
      'EVT_VCPUSUSPENDED',
      'EVT_VCPURESUMED',
      'EVT_RECOVERED',
    ]);
    expect(rig.guestState).toEqual(await goldenAt(compressor, rig.machine.guestNs));
  });

  it('is none if it was detected before the rollback', async () => {
    const observers: Observer[] = [];
    const others = microcheckpoint().filter(({ definition }) => definition.name !== '@rmk/pin-vcpu');
    const rig = await startRig({ ...compressor, plugins: [observedVcpu(observers), ...others] });
    await rig.advance('275.137ms');
    const detected = rig.domain.bus.topic('EVT_ERRORDETECTED');
    const atNs = rig.nowNs - 1;
    observers.push(() => detected.publish({ atNs, kind: 'late', cause: 'a cause' }));
    detected.publish({ atNs: rig.nowNs, kind: 'first', cause: 'a cause' });
    await rig.advance('1ms');
    expect(recordsOf(rig).map(({ trigger }) => trigger.kind)).toEqual(['first']);
  });
});

describe('an error of a kind that its detector does not declare', () => {
  it('is warned of once, and taken to be as old as the longest bound', async () => {
    const rig = await start();
    const detected = rig.domain.bus.topic('EVT_ERRORDETECTED');
    const report = () => detected.publish({ atNs: rig.nowNs, kind: 'odd', cause: 'something' });
    report();
    await rig.advance('300ms');
    report();
    await rig.advance('1ms');
    const { longestBoundNs: boundNs } = rig.domain.get(DETECTIONS);
    expect(recordsOf(rig).map(({ trigger: { latency } }) => latency)).toEqual([{ boundNs }, { boundNs }]);
    expect(rig.events('EVT_WARNING')).toMatchObject([
      {
        code: 'RMK_WARN_UNDECLARED',
        message: expect.stringContaining("host reported an error of the kind 'odd'"),
      },
    ]);
  });

  it('is not where the event says how old it may be', async () => {
    const rig = await start();
    const detected = rig.domain.bus.topic('EVT_ERRORDETECTED');
    detected.publish({ atNs: rig.nowNs, kind: 'odd', cause: 'something', latency: { boundNs: 120 * MS } });
    await rig.advance('1ms');
    expect(recordsOf(rig).map(({ checkpoint }) => checkpoint?.takenAtNs)).toEqual([150 * MS]);
    expect(rig.events('EVT_WARNING')).toEqual([]);
  });
});

class SecondRecovery implements DomainRecovery {
  readonly state = 'ready';
}

const secondRecovery = definePlugin({
  name: 'second-recovery',
  version: '1.0.0',
  rmk: '^0.2.0',
  provides: [provide(RECOVERY, SecondRecovery)],
});

describe('a second recovery', () => {
  it('is refused', async () => {
    await expect(
      startRig({ ...compressor, plugins: [...microcheckpoint(), secondRecovery()] }),
    ).rejects.toThrow(/RMK_ERR_DUPLICATE: .*RECOVERY/);
  });
});

describe('a rollback that never settles', () => {
  it('leaves no VM suspended once the agent is restarted, and the next error is recovered from', async () => {
    let hangs = true;
    let isHung = (): void => {};
    const hung = new Promise<void>((resolve) => (isHung = resolve));
    @injectable()
    class HangingPageTable extends PageTable {
      constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
        super(machine, bus);
      }

      override rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
        if (!hangs) return super.rollback(to, plan);
        hangs = false;
        isHung();
        return new Promise(() => {});
      }
    }
    const hanging = definePlugin({
      name: 'hanging-ptable',
      version: '1.0.0',
      rmk: '^0.2.0',
      requires: [VIRTUAL_MACHINE],
      provides: [provide(P_PTABLE, HangingPageTable), provide(CHECKPOINTING, HangingPageTable)],
    });
    const others = microcheckpoint().filter(({ definition }) => definition.name !== '@rmk/pin-ptable');
    const rig = await startRig({
      ...compressor,
      plugins: [hanging(), ...others],
      faults: 'expected',
      timeouts: { stop: '50ms' },
    });
    await rig.advance('275.137ms');
    const detected = { atNs: rig.nowNs, kind: 'odd', cause: 'something' };
    rig.domain.bus.topic('EVT_ERRORDETECTED').publish(detected);
    await hung;
    expect(rig.domain.get(RECOVERY).state).toBe('recovering');
    await rig.domain.restart('@rmk/checkpoint');
    expect(rig.domain.plugins.filter(({ state }) => state !== 'active')).toEqual([]);
    expect(rig.domain.get(RECOVERY).state).toBe('ready');
    const { nowNs } = rig;
    await rig.advance('100ms');
    expect(rig.nowNs).toBe(nowNs + 100 * MS);
    await crash(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(recordsOf(rig).map(({ trigger }) => trigger.kind)).toEqual(['crash']);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });
});

describe('the VM that a recovery gave up', () => {
  it('stays suspended, and the recovery says so, until somebody restarts it', async () => {
    const plugins = microcheckpoint({ hang: false, recovery: { maxRestarts: 0 } });
    const rig = await startRig({ ...compressor, plugins });
    rig.domain.bus.on('EVT_RECOVERED', () => crash(rig));
    await rig.advance('275.137ms');
    await crash(rig);
    await rig.runToEnd();
    expect(rig.events('EVT_RECOVERYFAILED')).toHaveLength(1);
    expect(rig.domain.get(RECOVERY).state).toBe('given-up');
    const { nowNs } = rig;
    await rig.advance('10ms');
    expect(rig.nowNs).toBe(nowNs);
    await rig.domain.get(P_VCPU).restart();
    expect(rig.domain.get(RECOVERY).state).toBe('ready');
    await rig.advance('10ms');
    expect(rig.nowNs).toBe(nowNs + 10 * MS);
  });

  it.each(['@rmk/recovery', '@rmk/checkpoint', '@rmk/pin-vcpu'])(
    'stays so over a restart of %s, until somebody restarts it',
    async (plugin) => {
      const plugins = microcheckpoint({ hang: false, recovery: { maxRestarts: 0 } });
      const rig = await startRig({ ...compressor, plugins });
      await rig.advance('10ms');
      await rig.domain.remove('@rmk/cowp');
      await rig.domain.restart('@rmk/checkpoint');
      await crash(rig);
      await rig.advance('5ms');
      expect(rig).toHaveFailedToRecover({ givenUp: true, times: 1 });
      await rig.domain.restart(plugin);
      expect(rig.domain.get(RECOVERY).state).toBe('given-up');
      const { nowNs } = rig;
      await rig.advance('10ms');
      expect(rig.nowNs).toBe(nowNs);
      await rig.domain.get(P_VCPU).restart();
      expect(rig.domain.get(RECOVERY).state).toBe('ready');
      expect(await rig.runToEnd()).toBe(0);
      expect(rig.guestState).toEqual(await goldenEnd(compressor));
    },
  );

  it('runs again if somebody restarts it while the recovery is down', async () => {
    let isRestarting = false;
    @injectable()
    class Restarter {
      constructor(@inject(P_VCPU) private readonly vcpu: VcpuPin) {}

      async start(): Promise<void> {
        if (isRestarting) await this.vcpu.restart();
      }
    }
    const restarter = definePlugin({
      name: 'restarter',
      version: '1.0.0',
      rmk: '^0.2.0',
      requires: [P_VCPU, CHECKPOINTS],
      before: ['@rmk/recovery'],
      modules: [Restarter],
    });
    const plugins = microcheckpoint({ hang: false, recovery: { maxRestarts: 0 } });
    const rig = await startRig({ ...compressor, plugins: [...plugins, restarter()] });
    await rig.advance('10ms');
    await rig.domain.remove('@rmk/cowp');
    await rig.domain.restart('@rmk/checkpoint');
    await crash(rig);
    await rig.advance('5ms');
    expect(rig).toHaveFailedToRecover({ givenUp: true, times: 1 });
    isRestarting = true;
    await rig.domain.restart('@rmk/checkpoint');
    expect(rig.domain.get(RECOVERY).state).toBe('ready');
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });

  it('is released, as it failed, by the removal of the recovery, and another one is ready', async () => {
    const rig = await startRig({
      ...compressor,
      plugins: microcheckpoint({ hang: false, recovery: { maxRestarts: 0 } }),
    });
    rig.domain.bus.on('EVT_RECOVERED', () => crash(rig));
    await rig.advance('275.137ms');
    await crash(rig);
    await rig.runToEnd();
    const resumed = rig.events('EVT_VCPURESUMED').length;
    await rig.domain.remove('@rmk/recovery');
    await rig.advance('0ms');
    expect(rig.events('EVT_VCPURESUMED')).toHaveLength(resumed + 1);
    await rig.domain.install(recovery());
    expect(rig.domain.get(RECOVERY).state).toBe('ready');
  });
});

describe('maxRestarts', () => {
  it.each(['@rmk/recovery', '@rmk/checkpoint'])('holds over a restart of %s', async (plugin) => {
    const plugins = microcheckpoint({ hang: false, recovery: { maxRestarts: 1 } });
    const rig = await startRig({ ...compressor, plugins });
    await rig.domain.remove('@rmk/cowp');
    await rig.advance('10ms');
    await crash(rig);
    await rig.advance('5ms');
    expect(recordsOf(rig).map(({ rung }) => rung)).toEqual(['restart']);
    await rig.domain.restart(plugin);
    await rig.advance('30ms');
    await crash(rig);
    await rig.advance('1ms');
    expect(rig.events('EVT_RECOVERYFAILED').map(({ reason }) => reason)).toEqual([
      '1 restarts within 10min are as many as maxRestarts allows',
    ]);
  });
});
