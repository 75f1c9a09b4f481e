import { PAGE_BYTES, type Bus, type Domain, type Facts, type Nanoseconds, type Rung } from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import type { DomainSettings, PlannedGuest } from '../config/runPlan.js';
import type { MachineStart, RunMachine } from './runMachine.js';
import { observedEvents, type GuestProgress, type RunObserver } from './runObserver.js';
import type { FaultyPlugin, GuestEnding, GuestSummary } from './runSummary.js';

/** Source of the events that come from the machine itself. */
const HYPERVISOR = 'hypervisor';

/** A guest in its domain, and the counts of its run. */
export class ProtectedGuest implements GuestProgress {
  checkpoints = 0;
  pageFaults = 0;
  /** By plugin. */
  private readonly faults = new Map<string, number>();
  private givenUp = false;
  private stopping = false;
  private readonly recoveries: Record<Rung, number> = {
    target: 0,
    older: 0,
    newer: 0,
    only: 0,
    restart: 0,
  };
  private domain: Domain | undefined;

  private constructor(
    readonly name: string,
    private readonly machine: RunMachine,
  ) {}

  /** Throws what `createDomain` throws. */
  static async start(
    { name, start, plugins }: PlannedGuest,
    settings: DomainSettings,
    observer: RunObserver,
    how: Pick<MachineStart, 'signal' | 'files'>,
  ): Promise<ProtectedGuest> {
    const observed: ProtectedGuest[] = [];
    const observe = (made: RunMachine): void => {
      const guest = new ProtectedGuest(name, made);
      guest.observe(observer);
      observed.push(guest);
    };
    await start({ ...how, observe, takesOver: true });
    const [guest] = observed;
    if (guest === undefined) throw new Error(`the machine of ${name} was not shown before it ran`);
    const { machine } = guest;
    guest.domain = await createDomain({
      name,
      machine: machine.vm,
      plugins,
      ...settings,
      observe: (bus) => {
        guest.count(bus);
        for (const eventName of observedEvents(plugins, settings.events)) {
          bus.on(eventName, (event) => {
            if (!guest.stopping) observer.event(name, eventName, event);
          });
        }
      },
    });
    return guest;
  }

  get memoryBytes(): number {
    return this.machine.vm.memoryPages * PAGE_BYTES;
  }

  get attached(): boolean {
    return this.machine.attached;
  }

  get plugins(): readonly string[] {
    return this.domain?.plugins.map(({ name }) => name) ?? [];
  }

  get domainNs(): Nanoseconds {
    return this.machine.vm.clock.now();
  }

  /** Completes the files of its output. Returns what failed. */
  finishOutput(): readonly string[] {
    return this.machine.output.finish();
  }

  /** Call before the domain stops. `untilNs`: where the run ends. */
  summary(untilNs: Nanoseconds, interrupted: boolean): GuestSummary {
    const { machine, name, domainNs, checkpoints, pageFaults, recoveries, faultyPlugins } = this;
    const { workLostNs, instructions, exitCode } = machine;
    return {
      guest: name,
      ending: this.ending(interrupted || domainNs >= untilNs),
      ...(exitCode === undefined ? {} : { exitCode }),
      domainNs,
      guestNs: domainNs - workLostNs,
      ...(instructions === undefined ? {} : { instructions }),
      checkpoints,
      pageFaults,
      recoveries: { ...recoveries },
      workLostNs,
      committedBytes: machine.output.committedBytes,
      wireBytes: machine.output.wireBytes,
      pluginFaults: faultyPlugins.reduce((sum, { faults }) => sum + faults, 0),
      faultyPlugins,
    };
  }

  /** Throws RMK_ERR_STOP if plugins fail to stop. Reports no events of the stop. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.domain?.stop();
  }

  private get faultyPlugins(): readonly FaultyPlugin[] {
    const quarantined = new Set(
      this.domain?.plugins.filter(({ state }) => state === 'quarantined').map(({ name }) => name),
    );
    return [...new Set([...this.faults.keys(), ...quarantined])].map((plugin) => ({
      plugin,
      faults: this.faults.get(plugin) ?? 0,
      isQuarantined: quarantined.has(plugin),
    }));
  }

  private ending(stopped: boolean): GuestEnding {
    if (this.givenUp) return 'given-up';
    if (this.machine.exitCode !== undefined) return 'ended';
    return stopped || this.machine.isRunnable ? 'running' : 'halted';
  }

  /** Takes facts from the machine, since not every choice of plugins publishes them. */
  private observe(observer: RunObserver): void {
    const { name } = this;
    const machine = this.machine.vm;
    machine.observe('output', (fact) => observer.output(name, fact));
    machine.observe('pagefault', ({ frames }) => void (this.pageFaults += frames.length));
    machine.observe('exited', (fact) => observer.event(name, 'EVT_VMEXITED', sourced(fact)));
    machine.observe('gone', (fact) => observer.event(name, 'EVT_VMGONE', sourced(fact)));
  }

  private count(bus: Bus): void {
    bus.on('EVT_CHECKPOINTED', () => void this.checkpoints++);
    bus.on('EVT_PLUGINFAULT', ({ plugin }) => {
      this.faults.set(plugin, (this.faults.get(plugin) ?? 0) + 1);
    });
    bus.on('EVT_RECOVERED', ({ record }) => void this.recoveries[record.rung]++);
    bus.on('EVT_RECOVERYFAILED', ({ givenUp }) => {
      if (!givenUp) return;
      this.givenUp = true;
      this.machine.giveUp();
    });
  }
}

function sourced<F extends Facts['exited'] | Facts['gone']>(
  fact: F,
): F & { readonly source: string; readonly sequence: number } {
  return { ...fact, source: HYPERVISOR, sequence: 0 };
}
