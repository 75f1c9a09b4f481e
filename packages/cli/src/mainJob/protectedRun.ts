import { guestStateOf, Scenario, type GuestState } from '@rmk/campaign';
import { CHECKPOINTS, messageOf, type Bus, type Domain, type Nanoseconds } from '@rmk/core';
import { EmbeddedHypervisor, type EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { observeUnexpected } from '../unexpectedEvents.js';
import type { GuestSpec } from './guestSpec.js';
import { injectFaults } from './injections.js';
import type { Incident } from './incident.js';

/** Totals over the epochs of a run. */
export interface EpochTotals {
  readonly checkpoints: number;
  readonly pageFaults: number;
  readonly pagesSaved: number;
  readonly pagesPreSaved: number;
  readonly preSavedInVain: number;
}

/** How a run ended. */
export interface GuestEnd {
  readonly state: GuestState;
  readonly domainNs: Nanoseconds;
  readonly committedBytes: number;
  readonly wireBytes: number;
}

export interface ProtectedRun {
  readonly guest: string;
  readonly end: GuestEnd;
  readonly incidents: readonly Incident[];
  /** Why not all faults were injected; undefined if they were. */
  readonly problem?: string;
  /** One line for each fault, loss or warning of RMK itself. */
  readonly unexpected: readonly string[];
  /** All recoveries, including those that belong to no incident. */
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
  await using hypervisor = new EmbeddedHypervisor();
  const guarded: Guarded[] = [];
  for (const [index, guest] of guests.entries()) {
    guarded.push(await guard(hypervisor, guest, options.algorithm, injectionInto(index, options)));
  }
  await hypervisor.run();
  const runs: ProtectedRun[] = [];
  for (const { machine, domain, totals, injection } of guarded) {
    const end: GuestEnd = {
      state: guestStateOf(machine),
      domainNs: machine.clock.now(),
      committedBytes: machine.committedOutput.length,
      wireBytes: machine.wireOutput.length,
    };
    // Closes the last epoch so that it counts too.
    await domain.get(CHECKPOINTS).take();
    runs.push({
      guest: machine.name,
      end,
      unexpected: [...totals.unexpected],
      recoveries: totals.recoveries,
      undoneNs: totals.undoneNs,
      epochs: totals.epochs,
      incidents: injection.incidents,
      ...injection.problem(),
    });
    await domain.stop();
  }
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

class Totals {
  undoneNs: Nanoseconds = 0;
  recoveries = 0;
  epochs: EpochTotals = { checkpoints: 0, pageFaults: 0, pagesSaved: 0, pagesPreSaved: 0, preSavedInVain: 0 };
  readonly unexpected: string[] = [];

  observe(bus: Bus): void {
    bus.on('EVT_CHECKPOINTED', ({ closed }) => this.addEpoch(closed));
    bus.on('EVT_ROLLEDBACK', ({ rollback }) => void (this.undoneNs += rollback.undoneNs));
    bus.on('EVT_RECOVERED', () => void this.recoveries++);
    observeUnexpected(bus, (line) => void this.unexpected.push(line));
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
