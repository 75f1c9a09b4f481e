import { CHECKPOINTS, messageOf, type Bus, type Domain, type EventName, type Nanoseconds } from '@rmk/core';
import { EmbeddedHypervisor, type EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { endOf, type GuestEnd, type GuestSpec } from './guestRun.js';
import { injectFaults } from './injections.js';
import type { Incident } from './incident.js';
import { Scenario } from './scenario.js';

/** What the epochs of a run came to, all together. */
export interface EpochTotals {
  readonly checkpoints: number;
  readonly pageFaults: number;
  readonly pagesSaved: number;
  readonly pagesPreSaved: number;
  readonly preSavedInVain: number;
}

export interface ProtectedRun {
  readonly guest: string;
  readonly end: GuestEnd;
  readonly incidents: readonly Incident[];
  /** Why the injections came to no good end; absent where they did. */
  readonly problem?: string;
  /** What happened of which nothing should: a line for each fault, loss or warning of RMK itself. */
  readonly mishaps: readonly string[];
  /** Recoveries of any kind, also those that no incident accounts for. */
  readonly recoveries: number;
  /** Guest time undone by all rollbacks: the work lost. */
  readonly undoneNs: Nanoseconds;
  readonly epochs: EpochTotals;
}

export interface ProtectOptions {
  readonly algorithm: NonNullable<MicrocheckpointOptions['algorithm']>;
  /** Inject faults, from this seed; without it the guests run undisturbed. */
  readonly inject?: { readonly seed: number; readonly onIncident: (incident: Incident) => void };
}

interface Guarded {
  readonly machine: EmbeddedMachine;
  readonly domain: Domain;
  readonly totals: Totals;
  readonly injection: Injection;
}

/** Runs the guests side by side on one hypervisor, each protected by the preset, to their end. */
export async function protectedRun(
  guests: readonly GuestSpec[],
  options: ProtectOptions,
): Promise<readonly ProtectedRun[]> {
  const hypervisor = new EmbeddedHypervisor();
  const guarded: Guarded[] = [];
  for (const [index, guest] of guests.entries()) {
    guarded.push(await guard(hypervisor, guest, options.algorithm, injectionInto(index, options)));
  }
  await hypervisor.run();
  const runs: ProtectedRun[] = [];
  for (const { machine, domain, totals, injection } of guarded) {
    const end = endOf(machine);
    // Closes the last epoch, so that it counts too.
    await domain.get(CHECKPOINTS).take();
    runs.push({
      guest: machine.name,
      end,
      mishaps: [...totals.mishaps],
      recoveries: totals.recoveries,
      undoneNs: totals.undoneNs,
      epochs: totals.epochs,
      incidents: injection.incidents,
      ...injection.problem(),
    });
    await domain.stop();
  }
  await hypervisor.close();
  return runs;
}

/** Each guest gets flips of its own. */
function injectionInto(index: number, { inject }: ProtectOptions): ProtectOptions['inject'] {
  return inject === undefined ? undefined : { ...inject, seed: inject.seed + index };
}

async function guard(
  hypervisor: EmbeddedHypervisor,
  guest: GuestSpec,
  algorithm: ProtectOptions['algorithm'],
  inject: ProtectOptions['inject'],
): Promise<Guarded> {
  const machine = hypervisor.createMachine(guest.machine);
  const totals = new Totals();
  const domain = await createDomain({
    name: machine.name,
    machine,
    plugins: microcheckpoint({ interval: '50ms', algorithm }),
    observe: (bus) => totals.observe(bus),
  });
  const injection = new Injection();
  if (inject !== undefined) injection.begin(domain, machine, guest, inject);
  return { machine, domain, totals, injection };
}

/** The injections into one guest, which may end before they do. */
class Injection {
  readonly incidents: Incident[] = [];
  private state: 'none' | 'running' | 'done' | 'failed' = 'none';
  private failure = '';

  begin(
    domain: Domain,
    machine: EmbeddedMachine,
    { hasTasks }: GuestSpec,
    { seed, onIncident }: NonNullable<ProtectOptions['inject']>,
  ): void {
    this.state = 'running';
    const record = (incident: Incident): void => {
      this.incidents.push(incident);
      onIncident(incident);
    };
    Scenario.play(domain, (scenario) =>
      injectFaults(scenario, { domain, machine, seed, hasTasks, onIncident: record }),
    ).then(
      () => (this.state = 'done'),
      (error: unknown) => {
        this.state = 'failed';
        this.failure = messageOf(error);
      },
    );
  }

  problem(): { readonly problem?: string } {
    if (this.state === 'running') return { problem: 'the guest ended before all faults were injected' };
    return this.state === 'failed' ? { problem: this.failure } : {};
  }
}

/** What must not happen to RMK itself while it protects a guest. */
const UNEXPECTED_EVENTS = [
  'EVT_PLUGINFAULT',
  'EVT_PLUGINQUARANTINED',
  'EVT_CHECKPOINTLOST',
  'EVT_PROTECTIONLOST',
  'EVT_RECOVERYFAILED',
  'EVT_VMRESTARTED',
  'EVT_WARNING',
] as const satisfies readonly EventName[];

class Totals {
  undoneNs: Nanoseconds = 0;
  recoveries = 0;
  epochs: EpochTotals = { checkpoints: 0, pageFaults: 0, pagesSaved: 0, pagesPreSaved: 0, preSavedInVain: 0 };
  readonly mishaps: string[] = [];

  observe(bus: Bus): void {
    bus.on('EVT_CHECKPOINTED', ({ closed }) => this.addEpoch(closed));
    bus.on('EVT_ROLLEDBACK', ({ rollback }) => void (this.undoneNs += rollback.undoneNs));
    bus.on('EVT_RECOVERED', () => void this.recoveries++);
    for (const name of UNEXPECTED_EVENTS) {
      bus.on(name, ({ atNs, source }) => void this.mishaps.push(`${name} of ${source} at ${atNs} ns`));
    }
  }

  private addEpoch(closed: Omit<EpochTotals, 'checkpoints'> | undefined): void {
    const { epochs } = this;
    this.epochs = {
      checkpoints: epochs.checkpoints + 1,
      pageFaults: epochs.pageFaults + (closed?.pageFaults ?? 0),
      pagesSaved: epochs.pagesSaved + (closed?.pagesSaved ?? 0),
      pagesPreSaved: epochs.pagesPreSaved + (closed?.pagesPreSaved ?? 0),
      preSavedInVain: epochs.preSavedInVain + (closed?.preSavedInVain ?? 0),
    };
  }
}
