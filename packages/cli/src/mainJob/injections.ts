import {
  CHECKPOINTS,
  DETECTIONS,
  P_VCPU,
  RmkError,
  type Domain,
  type Nanoseconds,
  type RecoveryRecord,
} from '@rmk/core';
import type { EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { crash, hang, RegisterFlips, taskLoop, type Fault } from './faults.js';
import { stateOf } from './guestRun.js';
import type { GuestState, Incident } from './incident.js';
import type { Scenario } from './scenario.js';

export interface InjectionOptions {
  readonly domain: Domain;
  readonly machine: EmbeddedMachine;
  readonly seed: number;
  /** Whether the guest runs tasks in user mode, one of which can be made to loop. */
  readonly hasTasks: boolean;
  readonly onIncident: (incident: Incident) => void;
}

/** The ring of checkpoints is full by then, and no longer holds the one taken at boot. */
const WARM_UP = '400ms';
const PAUSE = '150ms';

/** Injects the faults of §8 one after the other, waits for each to be recovered, and lets the guest go on. */
export async function injectFaults(
  scenario: Scenario,
  options: InjectionOptions,
): Promise<readonly Incident[]> {
  const { domain, machine, seed, hasTasks } = options;
  const injections = new Injections(scenario, options);
  await scenario.wait(WARM_UP);
  await injections.inject(crash(domain, scenario, hasTasks));
  await scenario.wait(PAUSE);
  await injections.injectFlips(new RegisterFlips(domain, seed));
  await scenario.wait(PAUSE);
  await injections.inject(hang(domain, machine));
  if (hasTasks) {
    await scenario.wait(PAUSE);
    await injections.inject(taskLoop(domain, machine, scenario));
  }
  return injections.incidents;
}

interface Observed {
  readonly detectedAtNs: Nanoseconds;
  readonly recoveries: readonly RecoveryRecord[];
  readonly restored: GuestState;
}

class Injections {
  readonly incidents: Incident[] = [];
  /** T_B: what is not detected by then does not count as detected. */
  private readonly boundNs: Nanoseconds;

  constructor(
    private readonly scenario: Scenario,
    private readonly options: InjectionOptions,
  ) {
    this.boundNs = options.domain.get(DETECTIONS).longestBoundNs;
  }

  async inject(fault: Fault): Promise<void> {
    const detail = await fault.inject();
    const injectedAtNs = this.scenario.nowNs;
    const observed = await this.observe();
    if (observed === undefined) {
      throw new RmkError(
        'RMK_ERR_STATE',
        `${fault.name} in ${this.guest}: ${detail} was not detected within T_B`,
      );
    }
    this.record(fault, detail, injectedAtNs, 0, observed);
  }

  /** Single-bit flips, each from a checkpoint taken just before, until one is detected. */
  async injectFlips(flips: RegisterFlips): Promise<void> {
    for (let undetected = 0; ; undetected++) {
      const before = await this.checkpoints.take();
      const fault = flips.next();
      const detail = await fault.inject();
      const injectedAtNs = this.scenario.nowNs;
      const observed = await this.observe();
      if (observed !== undefined) {
        this.record(fault, detail, injectedAtNs, undetected, observed);
        return;
      }
      const vcpu = this.options.domain.get(P_VCPU);
      await vcpu.suspend();
      await this.checkpoints.rollback(before);
      await vcpu.resume();
    }
  }

  /** Undefined where nothing is detected within T_B, or the guest ends. */
  private async observe(): Promise<Observed | undefined> {
    const recoveries: RecoveryRecord[] = [];
    let restored: GuestState | undefined;
    for (;;) {
      const happened = await this.scenario.next(
        ['EVT_RECOVERED', 'EVT_RECOVERYFAILED', 'EVT_VMEXITED'],
        this.boundNs,
      );
      if (happened.name === 'EVT_RECOVERYFAILED') {
        throw new RmkError('RMK_ERR_STATE', `the recovery of ${this.guest} failed: ${happened.event.reason}`);
      }
      // A guest that switches itself off with a failure is detected, and comes back.
      if (happened.name === 'EVT_VMEXITED' && happened.event.code !== 0) continue;
      if (happened.name !== 'EVT_RECOVERED') break;
      recoveries.push(happened.event.record);
      restored = stateOf(this.options.machine);
    }
    const detectedAtNs = recoveries[0]?.trigger.atNs;
    if (restored === undefined || detectedAtNs === undefined) return undefined;
    return { detectedAtNs, recoveries, restored };
  }

  private record(
    fault: Fault,
    detail: string,
    injectedAtNs: Nanoseconds,
    undetectedBefore: number,
    { detectedAtNs, recoveries, restored }: Observed,
  ): void {
    const incident: Incident = {
      guest: this.guest,
      fault: fault.name,
      detail,
      injectedAtNs,
      undetectedBefore,
      latencyNs: detectedAtNs - injectedAtNs,
      recoveries,
      restored,
    };
    this.incidents.push(incident);
    this.options.onIncident(incident);
  }

  private get checkpoints() {
    return this.options.domain.get(CHECKPOINTS);
  }

  private get guest(): string {
    return this.options.machine.name;
  }
}
