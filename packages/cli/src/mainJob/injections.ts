import { guestStateOf, RegisterFlips, type FaultTarget, type GuestState, type Scenario } from '@rmk/campaign';
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
import { bitFlip, crash, hang, taskLoop, type Fault } from './faults.js';
import type { Incident } from './incident.js';

export interface InjectionOptions {
  readonly domain: Domain;
  readonly machine: EmbeddedMachine;
  readonly seed: number;
  /** Whether the guest runs tasks in user mode, one of which can be made to loop. */
  readonly hasTasks: boolean;
  readonly onIncident: (incident: Incident) => void;
}

/** By then the ring of checkpoints is full and no longer holds the one taken at boot. */
const WARM_UP = '400ms';
const PAUSE = '150ms';

/** Injects the faults of §8 one after the other, each after the guest has recovered from the one before. */
export async function injectFaults(
  scenario: Scenario,
  options: InjectionOptions,
): Promise<readonly Incident[]> {
  const { seed, hasTasks } = options;
  const target = targetOf(scenario, options);
  const injections = new Injections(scenario, options);
  await scenario.wait(WARM_UP);
  await injections.inject(crash(target, hasTasks));
  await scenario.wait(PAUSE);
  await injections.injectFlips(target, new RegisterFlips(seed));
  await scenario.wait(PAUSE);
  await injections.inject(hang(target));
  if (hasTasks) {
    await scenario.wait(PAUSE);
    await injections.inject(taskLoop(target));
  }
  return injections.incidents;
}

function targetOf(scenario: Scenario, { machine }: InjectionOptions): FaultTarget {
  return {
    machine,
    symbol(name) {
      const address = machine.image.symbols.get(name);
      if (address !== undefined) return BigInt(address);
      throw new RmkError(
        'RMK_ERR_UNKNOWN',
        `${machine.image.source} has no symbol ${name}. Rebuild it with its symbol table.`,
      );
    },
    advance: (by) => scenario.wait(by),
  };
}

interface Observed {
  readonly detectedAtNs: Nanoseconds;
  readonly recoveries: readonly RecoveryRecord[];
  readonly restored: GuestState;
}

class Injections {
  readonly incidents: Incident[] = [];
  /** T_B: an error counts as undetected after this time. */
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
  async injectFlips(target: FaultTarget, flips: RegisterFlips): Promise<void> {
    for (let undetected = 0; ; undetected++) {
      const before = await this.checkpoints.take();
      const fault = bitFlip(target, flips);
      const detail = await fault.inject();
      const injectedAtNs = this.scenario.nowNs;
      const observed = await this.observe();
      if (observed !== undefined) {
        this.record(fault, detail, injectedAtNs, undetected, observed);
        return;
      }
      const vcpu = this.options.domain.get(P_VCPU);
      const suspension = await vcpu.suspend();
      await this.checkpoints.rollback(before);
      await vcpu.resume(suspension);
    }
  }

  /** Undefined if nothing is detected within T_B or the guest ends. */
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
      // A guest that switches itself off with a failure is detected and rolled back.
      if (happened.name === 'EVT_VMEXITED' && happened.event.code !== 0) continue;
      if (happened.name !== 'EVT_RECOVERED') break;
      recoveries.push(happened.event.record);
      restored = guestStateOf(this.options.machine);
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
