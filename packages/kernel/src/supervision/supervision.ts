import {
  diagnose,
  messageOf,
  nanoseconds,
  type Bus,
  type Duration,
  type Nanoseconds,
  type Topic,
  type VirtualMachine,
} from '@rmk/core';
import { ScopedBus, type EventBus } from '../bus/bus.js';
import { HOST, KERNEL } from '../bus/sources.js';
import type { Hold } from '../scope/hold.js';
import { Scope, type Fault, type Watch } from '../scope/scope.js';
import { Slowness } from './slowness.js';

export interface SupervisionOptions {
  /** A plugin is quarantined after this many faults within the window. Default: 8. */
  readonly quarantineAfterFaults?: number;
  /** Domain time. Default: `'10s'`. */
  readonly faultWindow?: Duration;
  /**
   * Domain time until a quarantined plugin is restarted, with those that require what it provides. Default: `'2s'`.
   * Doubles each time, up to 64 times as long, until the plugin has been healthy for as long as its last wait.
   */
  readonly restartAfter?: Duration | 'never';
  /** Host time that code of a plugin may hold the guest at once. EVT_PLUGINSLOW reports more. Default: `'100ms'`. */
  readonly handlerBudget?: Duration;
}

/**
 * Reports each fault as EVT_PLUGINFAULT and quarantines a plugin that has too many in too short a time.
 *
 * The host is never quarantined. What its handler of EVT_PLUGINFAULT throws becomes a diagnostic instead of an event,
 * so that it cannot report itself forever. A plugin's handler of EVT_PLUGINFAULT that throws is reported like any
 * other, until its quarantine.
 */
export class Supervision {
  /** For the kernel's own events. */
  readonly bus: Bus;
  private readonly pluginFault: Topic<'EVT_PLUGINFAULT'>;
  private readonly pluginQuarantined: Topic<'EVT_PLUGINQUARANTINED'>;
  private readonly quarantineAfterFaults: number;
  private readonly faultWindowNs: Nanoseconds;

  private readonly watch: Watch;

  constructor(
    bus: EventBus,
    private readonly machine: Pick<VirtualMachine, 'name' | 'clock'>,
    private readonly hold: Hold,
    private readonly quarantined: (scope: Scope, reason: string) => void,
    { quarantineAfterFaults = 8, faultWindow = '10s', handlerBudget = '100ms' }: SupervisionOptions,
  ) {
    this.quarantineAfterFaults = quarantineAfterFaults;
    this.faultWindowNs = nanoseconds(faultWindow);
    const slowness = new Slowness(
      handlerBudget,
      machine.clock,
      (event) => bus.publishUnnumbered('EVT_PLUGINSLOW', event, KERNEL),
      (scope, during, forHostMs) => {
        const message = `${scope.name} has held the VM ${machine.name} for ${forHostMs} ms of host time: its handler of ${during} has not finished. A handler must not await domain time, which is paused meanwhile: use clock.after. Remove or restart the plugin to release the VM.`;
        bus.publishUnnumbered(
          'EVT_WARNING',
          { atNs: machine.clock.now(), code: 'RMK_WARN_HELD', message },
          KERNEL,
        );
      },
    );
    this.watch = {
      stopwatch: bus.stopwatch,
      fault: (scope, fault) => this.report(scope, fault),
      took: (scope, during, occurrence, tookHostMs) => slowness.took(scope, during, occurrence, tookHostMs),
      waits: (scope, during, occurrence) => slowness.waits(scope, during, occurrence),
    };
    this.bus = new ScopedBus(bus, this.scope(KERNEL));
    this.pluginFault = this.bus.topic('EVT_PLUGINFAULT');
    this.pluginQuarantined = this.bus.topic('EVT_PLUGINQUARANTINED');
  }

  scope(name: string): Scope {
    return new Scope(name, this.hold, this.watch);
  }

  /** A plugin that failed to start is retried like one that had too many faults. */
  quarantinedAtStart(plugin: string, atNs: Nanoseconds): void {
    this.pluginQuarantined.publish({ atNs, plugin, faults: 0 });
  }

  private report(scope: Scope, fault: Fault): void {
    const { name: plugin, faults } = scope;
    if (plugin === HOST && fault.during === 'EVT_PLUGINFAULT') {
      diagnose('kernel', "the host's own handler of EVT_PLUGINFAULT failed", fault.error);
      return;
    }
    const atNs = this.machine.clock.now();
    const tooMany = plugin !== HOST && scope.closed === undefined && this.areTooMany(scope, atNs);
    // Before the report, so that the plugin does not receive it.
    if (tooMany) scope.close('quarantined');
    this.pluginFault.publish({ atNs, plugin, ...fault, faults });
    if (!tooMany) return;
    this.pluginQuarantined.publish({ atNs, plugin, faults });
    const many = faults === 1 ? '1 fault, ' : `${faults} faults, the last one `;
    this.quarantined(scope, `${many}in ${fault.during}: ${messageOf(fault.error)}`);
  }

  /** Whether the fault at `atNs` exceeds the limit. A fault counts until the window has passed. */
  private areTooMany(scope: Scope, atNs: Nanoseconds): boolean {
    scope.recentFaultsNs = [...scope.recentFaultsNs, atNs].filter(
      (faultNs) => atNs - faultNs < this.faultWindowNs,
    );
    return scope.recentFaultsNs.length >= this.quarantineAfterFaults;
  }
}
