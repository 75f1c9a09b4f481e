import { ruleOutcome } from '../corruption/timelineSimulation.js';
import { CycleStatistics, MAX_CYCLES } from '../chain/simulation.js';
import { requireCount } from '../errors.js';
import type { Estimate } from '../numerics/interval.js';
import { exponentialVariate, type Random, seededRandom } from '../numerics/random.js';
import { type ErrorClass, errorClasses } from './errorClasses.js';
import { recoveryTime } from './recovery.js';
import type { Setting } from './variant.js';

/** The system of §5 as components with clocks, in hours. */
export interface SystemModel {
  readonly vms: number;
  readonly vmMttf: number;
  readonly vmRestart: number;
  readonly checkpointVmMttf: number;
  readonly checkpointVmRestart: number;
  readonly hypervisorMttf: number;
  readonly hypervisorRestart: number;
  /** All of 1/r'p. */
  readonly recovery: number;
  readonly errors: readonly ErrorClass[];
  readonly intervalMs: number;
}

/** The components of the variants that have a checkpointing VM on the same node and nothing else. */
export function systemOf(variant: 'single' | 'dual' | 'rule' | 'k' | 'vms', setting: Setting): SystemModel {
  const { parameters } = setting;
  const errors = errorClasses(variant, setting);
  const hours = (seconds: number) => seconds / 3600;
  return {
    vms: variant === 'vms' ? parameters.vms : 1,
    vmMttf: parameters.vmMttfHours,
    vmRestart: hours(parameters.vmRestartSeconds),
    checkpointVmMttf: parameters.checkpointVmMttfHours,
    checkpointVmRestart: hours(parameters.checkpointVmRestartSeconds),
    hypervisorMttf: parameters.hypervisorMttfHours,
    hypervisorRestart: hours(parameters.hypervisorRestartSeconds),
    recovery: hours(recoveryTime(parameters, errors).totalSeconds),
    errors,
    intervalMs: parameters.intervalMs,
  };
}

type VmState = 'up' | 'rolling back' | 'restarting' | 'waiting';

/**
 * A discrete-event simulation of §5's behaviours (a), (b) and (c), component by component: whether a failure can be
 * rolled back is played on the timeline of figure 4, error by error. It shares no state space, no rates and no equation
 * with the Markov models, so that those can be checked against it. The result is the unavailability (mean share of VMs
 * that are down) with its interval from `cycles` returns to the state in which everything is up.
 */
export function simulateSystem(
  system: SystemModel,
  { cycles, seed = 1, confidence = 0.95 }: { cycles: number; seed?: number; confidence?: number },
): Estimate {
  requireCount('the number of cycles', cycles, 2, MAX_CYCLES);
  const random = seededRandom(seed);
  const statistics = new CycleStatistics();
  for (let cycle = 0; cycle < cycles; cycle++) {
    const { length, down } = playCycle(system, random);
    statistics.add(length, down);
  }
  return statistics.unavailability(confidence);
}

/** From everything up to everything up again. */
function playCycle(system: SystemModel, random: Random): { readonly length: number; readonly down: number } {
  const after = (now: number, mean: number) => now + exponentialVariate(random, 1 / mean);
  let now = 0;
  let down = 0;
  let hypervisor: 'up' | 'restarting' = 'up';
  let checkpointVm: 'up' | 'restarting' | 'waiting' = 'up';
  // When each component's present state ends; a waiting one has no clock.
  let hypervisorNext = after(0, system.hypervisorMttf);
  let checkpointVmNext = after(0, system.checkpointVmMttf);
  const vms: VmState[] = Array.from({ length: system.vms }, () => 'up');
  const vmNext = vms.map(() => after(0, system.vmMttf));
  const startRestart = (vm: number) => {
    vms[vm] = 'restarting';
    vmNext[vm] = after(now, system.vmRestart);
  };
  const stop = (vm: number) => {
    vms[vm] = 'waiting';
    vmNext[vm] = Infinity;
  };
  for (;;) {
    const vm = vmNext.indexOf(Math.min(...vmNext));
    const next = Math.min(hypervisorNext, checkpointVmNext, vmNext[vm] as number);
    down += ((next - now) * vms.filter((state) => state !== 'up').length) / vms.length;
    now = next;
    if (next === hypervisorNext) {
      if (hypervisor === 'up') {
        hypervisor = 'restarting';
        hypervisorNext = after(now, system.hypervisorRestart);
        checkpointVm = 'waiting';
        checkpointVmNext = Infinity;
        for (let each = 0; each < vms.length; each++) stop(each);
      } else {
        hypervisor = 'up';
        hypervisorNext = after(now, system.hypervisorMttf);
        checkpointVm = 'restarting';
        checkpointVmNext = after(now, system.checkpointVmRestart);
      }
    } else if (next === checkpointVmNext) {
      if (checkpointVm === 'up') {
        checkpointVm = 'restarting';
        checkpointVmNext = after(now, system.checkpointVmRestart);
        for (let each = 0; each < vms.length; each++) if (vms[each] !== 'up') stop(each);
      } else {
        checkpointVm = 'up';
        checkpointVmNext = after(now, system.checkpointVmMttf);
        for (let each = 0; each < vms.length; each++) if (vms[each] === 'waiting') startRestart(each);
      }
    } else if (vms[vm] !== 'up') {
      vms[vm] = 'up';
      vmNext[vm] = after(now, system.vmMttf);
    } else if (checkpointVm !== 'up') {
      stop(vm);
    } else if (corrupts(system, random)) {
      startRestart(vm);
    } else {
      vms[vm] = 'rolling back';
      vmNext[vm] = after(now, system.recovery);
    }
    if (hypervisor === 'up' && checkpointVm === 'up' && vms.every((state) => state === 'up'))
      return { length: now, down };
  }
}

function corrupts({ errors, intervalMs }: SystemModel, random: Random): boolean {
  let left = random();
  const error = (errors.find(({ share }) => (left -= share) < 0) ?? errors.at(-1)) as ErrorClass;
  const { latency, boundMs } = error;
  return ruleOutcome(random() * intervalMs, latency.sample(random), { intervalMs, boundMs }).corrupted;
}
