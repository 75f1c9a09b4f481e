import { checkpoint } from '@rmk/checkpoint';
import {
  CHECKPOINTS,
  DETECTIONS,
  nanoseconds,
  P_VCPU,
  RmkError,
  type Detection,
  type Duration,
  type Nanoseconds,
  type RmkEvent,
} from '@rmk/core';
import { describe, expect, it, type TestContext } from 'vitest';
import { startRig, type Rig } from '../../rig.js';
import type { RigGuest } from '../../rigGuest.js';
import { allPins } from '../allPins.js';
import { nothingAhead } from '../nothingAhead.js';
import {
  BUSY_LIFE,
  IDLE_LIFE,
  TASKS,
  WARM_UP,
  type DetectorSubject,
  type ProvokedError,
  type QuietLife,
} from './detectorSubject.js';
import { falsePositives, reportOf, sumOf, watch, type Exposure, type FalsePositives } from './exposure.js';

/** Of an instruction of the embedded hypervisor at its nominal frequency. */
const AN_INSTRUCTION = '10ns';
/** After the warm-up: anywhere in a slice, at another place, and at its very end. */
const MOMENTS = ['0ms', '3.77ms', '4.87ms'] as const;
const LEGAL_PARTS = [0.5, 0.9, 0.99] as const;

/**
 * What a detector promises, as tests in virtual time: it finds what it must within its bound (T_B of §4), suspects the
 * guest of no more than is true, finds again after a rollback and a restart, and accuses no healthy guest.
 */
export function describeDetector(name: string, subject: DetectorSubject): void {
  describe(`the detector ${name}`, { sequential: true }, () => {
    const stage = new DetectorStage(subject);
    boundTests(stage);
    for (const error of subject.finds) errorTests(stage, error);
    falsePositiveTests(stage);
  });
}

/** A rig with the detector, and nobody who recovers. */
class DetectorStage {
  readonly detector: string;

  constructor(readonly subject: DetectorSubject) {
    this.detector = subject.plugin().definition.name;
  }

  rig(guest: RigGuest = this.subject.guest ?? TASKS): Promise<Rig> {
    const tested = this.subject.plugin();
    const plugins = [
      ...allPins(tested),
      checkpoint(),
      nothingAhead(),
      ...(this.subject.besides?.() ?? []),
      tested,
    ];
    return startRig({ ...guest, plugins, record: ['EVT_VMSCHEDULED'] });
  }

  /** A rig whose guest has been healthy until now. */
  async warmRig(error: ProvokedError): Promise<Rig> {
    const rig = await this.rig(error.guest);
    await this.warmUp(rig);
    return rig;
  }

  async warmUp(rig: Rig): Promise<void> {
    await rig.advance(this.subject.warmUp ?? WARM_UP);
    expect(rig, 'the guest is healthy').not.toHaveDetected({ by: this.detector });
  }

  boundsOf(rig: Rig): readonly Detection[] {
    return rig.domain.get(DETECTIONS).all.filter(({ plugin }) => plugin === this.detector);
  }

  /** From the injection on. */
  boundNs(rig: Rig, { kind, arisesWithin = AN_INSTRUCTION }: ProvokedError): Nanoseconds {
    const bound = this.boundsOf(rig).find((detection) => detection.kind === kind);
    if (bound !== undefined) return bound.boundNs + nanoseconds(arisesWithin);
    throw new RmkError(
      'RMK_ERR_INPUT',
      `finds: ${this.detector} declares no bound for errors of the kind ${JSON.stringify(kind)}`,
    );
  }

  /** Provokes the error, and resolves to its detection. */
  async provoke(rig: Rig, error: ProvokedError): Promise<Found> {
    const before = rig.events('EVT_ERRORDETECTED').length;
    await error.inject(rig);
    const injectedAtNs = rig.nowNs;
    const boundNs = this.boundNs(rig, error);
    // A timer that is due at the very end fires when the guest runs on.
    await rig.advance(milliseconds(boundNs + 1));
    const { kind } = error;
    expect(rig).toHaveDetected({
      kind,
      by: this.detector,
      since: injectedAtNs,
      within: milliseconds(boundNs),
    });
    const detected = rig
      .events('EVT_ERRORDETECTED')
      .slice(before)
      .find((event) => event.kind === kind && event.source === this.detector);
    if (detected === undefined) throw new RmkError('RMK_ERR_STATE', 'a detection that is not in the record');
    expect(detected.suspectSinceNs ?? 0, 'suspected since').toBeLessThanOrEqual(injectedAtNs);
    return { injectedAtNs, detected };
  }
}

/** Exact, in the unit of the timeline: what a failed expectation shows. */
function milliseconds(ns: Nanoseconds): Duration {
  return `${ns / 1e6}ms`;
}

interface Found {
  readonly injectedAtNs: Nanoseconds;
  readonly detected: RmkEvent<'EVT_ERRORDETECTED'>;
}

function boundTests(stage: DetectorStage): void {
  it('states its bound for each kind of error', async () => {
    const rig = await stage.rig();
    expect(stage.boundsOf(rig).length, 'kinds in `detects` of the manifest').toBeGreaterThan(0);
    for (const { kind, boundNs } of stage.boundsOf(rig)) expect(boundNs, kind).toBeGreaterThanOrEqual(0);
  });

  it('is shown an error of each kind that it declares, and of no other', async () => {
    const rig = await stage.rig();
    const declared = new Set(stage.boundsOf(rig).map(({ kind }) => kind));
    expect(new Set(stage.subject.finds.map(({ kind }) => kind))).toEqual(declared);
  });
}

function errorTests(stage: DetectorStage, error: ProvokedError): void {
  it(`finds ${error.what} within its bound, and says since when the guest is suspect`, async () => {
    for (const moment of MOMENTS) {
      const rig = await stage.warmRig(error);
      await rig.advance(moment);
      await stage.provoke(rig, error);
      await rig.stop();
    }
  });

  it(`finds ${error.what} at the same moment in each run`, async () => {
    const found: Found[] = [];
    for (let run = 0; run < 2; run++) {
      const rig = await stage.warmRig(error);
      found.push(await stage.provoke(rig, error));
      await rig.stop();
    }
    expect(found[1]).toEqual(found[0]);
  });

  it(`finds ${error.what} again after a rollback, and accuses nobody of what was undone`, async () => {
    const rig = await stage.warmRig(error);
    const { injectedAtNs } = await stage.provoke(rig, error);
    await rollBackTo(rig, injectedAtNs);
    const undoneAtNs = rig.nowNs;
    await rig.advance(milliseconds(stage.boundNs(rig, error)));
    expect(rig).not.toHaveDetected({ by: stage.detector, since: undoneAtNs });
    await stage.provoke(rig, error);
  });

  it(`finds ${error.what} after a restart of the VM, and accuses nobody who boots`, async () => {
    const rig = await stage.warmRig(error);
    await restart(rig);
    const restartedAtNs = rig.nowNs;
    await rig.advance(stage.subject.warmUp ?? WARM_UP);
    expect(rig).not.toHaveDetected({ by: stage.detector, since: restartedAtNs });
    await stage.provoke(rig, error);
  });

  it(`leaves ${error.what} to others once it has been removed`, async () => {
    const rig = await stage.warmRig(error);
    const boundNs = stage.boundNs(rig, error);
    await rig.domain.remove(stage.detector, { dependants: 'remove' });
    await error.inject(rig);
    await rig.advance(milliseconds(boundNs));
    expect(rig).not.toHaveDetected({ by: stage.detector });
  });
}

/** The newest checkpoint from before the error. */
async function rollBackTo(rig: Rig, beforeNs: Nanoseconds): Promise<void> {
  const vcpu = rig.domain.get(P_VCPU);
  const checkpoints = rig.domain.get(CHECKPOINTS);
  const to = checkpoints.retained.find(({ takenAtNs }) => takenAtNs < beforeNs);
  if (to === undefined) {
    throw new RmkError(
      'RMK_ERR_UNPROTECTED',
      `no retained checkpoint is older than the error: is the bound of the detector too short?\n${rig.timeline()}`,
    );
  }
  const suspension = await vcpu.suspend();
  await checkpoints.rollback(to);
  await vcpu.resume(suspension);
}

async function restart(rig: Rig): Promise<void> {
  const vcpu = rig.domain.get(P_VCPU);
  const suspension = await vcpu.suspend();
  await vcpu.restart();
  await vcpu.resume(suspension);
}

function falsePositiveTests(stage: DetectorStage): void {
  const { busy = BUSY_LIFE, idle = IDLE_LIFE, silence } = stage.subject;
  const watched: { readonly exposure: Exposure; readonly found: number }[] = [];
  const expectNothing = async (context: TestContext, life: QuietLife): Promise<Exposure> => {
    const rig = await stage.rig(life.guest);
    const exposed = watch(rig);
    await life.live(rig);
    const exposure = exposed();
    const found = rig.events('EVT_ERRORDETECTED').filter(({ source }) => source === stage.detector).length;
    watched.push({ exposure, found });
    await report(context, falsePositives(exposure, found));
    expect(rig).not.toHaveDetected({ by: stage.detector });
    return exposure;
  };

  it('accuses no guest that computes', async (context) => {
    const { busyNs, idleNs } = await expectNothing(context, busy);
    expect(busyNs, 'most of its time it is busy').toBeGreaterThan(idleNs);
  });

  it('accuses no guest that waits', async (context) => {
    const { busyNs, idleNs } = await expectNothing(context, idle);
    expect(idleNs, 'most of its time it is idle').toBeGreaterThan(busyNs);
  });

  if (silence !== undefined) {
    for (const part of LEGAL_PARTS) {
      it(`accuses no guest that is silent for ${part} of the threshold`, async (context) => {
        await expectNothing(context, silence.life(Math.floor(part * nanoseconds(silence.threshold))));
      });
    }
  }

  it('has accused nobody in all that exposure', async (context) => {
    context.skip(watched.length === 0, 'the tests before have not run');
    const found = watched.reduce((sum, one) => sum + one.found, 0);
    await report(context, falsePositives(sumOf(watched.map(({ exposure }) => exposure)), found));
    expect(found, 'false detections').toBe(0);
  });
}

/** Into the test's metadata for reporters, and as an annotation for people. */
async function report(context: TestContext, positives: FalsePositives): Promise<void> {
  context.task.meta.falsePositives = positives;
  await context.annotate(reportOf(positives), 'false positives');
}
