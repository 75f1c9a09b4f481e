import { checkpoint } from '@rmk/checkpoint';
import {
  RECOVERY,
  type DomainRecovery,
  type LatencyBound,
  type RecoveryRecord,
  type RmkEvents,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { fakeVmsignal, startFakeRig, type FakeRig, type FakeRigOptions } from '@rmk/testing';
import { recovery } from '../src/index.js';

export const MS = 1e6;

/** What differs from an ordinary report. `latency` undefined: it states none. */
type Detected = Omit<Partial<RmkEvents['EVT_ERRORDETECTED']>, 'latency'> & {
  readonly latency?: LatencyBound | undefined;
};

/** 95 % of crashes are noticed within 5 ms. */
const CRASH_LATENCY: LatencyBound = { boundNs: 5 * MS, quantile: 0.95 };

export interface ProtectionOptions extends Partial<FakeRigOptions> {
  readonly recovery?: Parameters<typeof recovery>[0];
  /** Default: four. */
  readonly retain?: number;
  /** `'none'`: the VM has no checkpoint at all. */
  readonly checkpoints?: 'none';
}

/** A fake VM under the agent, with a checkpoint each 10 ms, and under recovery. */
export class ProtectedVm {
  constructor(readonly rig: FakeRig) {}

  static async start(options: ProtectionOptions = {}): Promise<ProtectedVm> {
    const { recovery: given, retain = 4, checkpoints, plugins = [], ...others } = options;
    const rig = await startFakeRig({
      plugins: [
        checkpoint({ interval: '10ms', retain }),
        ...(checkpoints === 'none' ? [] : [cowb()]),
        fakeVmsignal({ latencyBound: { bound: '5ms', quantile: 0.95 } }),
        recovery(given),
        ...plugins,
      ],
      ...others,
    });
    return new ProtectedVm(rig);
  }

  report(detected: Detected = {}): void {
    const { latency = 'latency' in detected ? undefined : CRASH_LATENCY, ...others } = detected;
    this.rig.domain.bus.topic('EVT_ERRORDETECTED').publish({
      atNs: this.rig.nowNs,
      kind: 'crash',
      cause: 'illegal-instruction',
      ...(latency === undefined ? {} : { latency }),
      ...others,
    });
  }

  /** Reports a crash, and lets it be recovered from. No domain time passes. */
  async crash(detected: Detected = {}): Promise<void> {
    this.report(detected);
    await this.rig.advance('0ms');
  }

  /** Lets the guest run to this moment of its own time. */
  async runTo(guestMs: number): Promise<void> {
    await this.rig.advance(`${guestMs * MS - this.rig.machine.guestNs}ns`);
  }

  get guestMs(): number {
    return this.rig.machine.guestNs / MS;
  }

  get state(): DomainRecovery['state'] {
    return this.rig.domain.get(RECOVERY).state;
  }

  get records(): readonly RecoveryRecord[] {
    return this.rig.events('EVT_RECOVERED').map(({ record }) => record);
  }

  /** Rung and occurrence of each recovery. */
  get rungs(): readonly string[] {
    return this.records.map(({ rung, occurrence }) => `${rung} ${occurrence}`);
  }

  get failures(): readonly (readonly [reason: string, givenUp: boolean])[] {
    return this.rig.events('EVT_RECOVERYFAILED').map(({ reason, givenUp }) => [reason, givenUp]);
  }

  get warnings(): readonly string[] {
    return this.rig.events('EVT_WARNING').map(({ code, message }) => `${code}: ${message}`);
  }
}
