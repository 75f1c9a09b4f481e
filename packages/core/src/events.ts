import type { Checkpoint, Rollback } from './checkpoints.js';
import type { PluginState } from './pluginState.js';
import type { WarningCode } from './errors.js';
import type { Facts } from './machine.js';
import type { EpochReport } from './pageLog.js';
import type { LatencyBound } from './detection.js';
import type { RecoveryRecord, RecoveryTrigger, RungAttempt } from './recovery.js';
import { token } from './token.js';
import type { Nanoseconds } from './units.js';

/**
 * The events that cross packages. A third party adds its own by declaration merging:
 * `declare module '@rmk/core' { interface RmkEvents { EVT_ROOMTOOHOT: { atNs: number; celsius: number } } }`,
 * and names them in the `events` of its manifest, since the declaration is gone at run time.
 */
export interface RmkEvents {
  EVT_PAGEFAULT: Facts['pagefault'];
  EVT_LOGLOST: Facts['loglost'];
  EVT_VMSIGNAL: Facts['signal'];
  EVT_VMSCHEDULED: Facts['scheduled'];
  EVT_VMOUTPUT: Facts['output'];
  EVT_CHANNELCHANGED: Facts['channel'];
  EVT_VMASLEEP: Facts['asleep'];
  EVT_VMAWAKE: Facts['awake'];
  /** The guest boots again: what it did before is over, and no checkpoint of then is of use. */
  EVT_VMREBOOTED: Facts['rebooted'];
  EVT_VMEXITED: Facts['exited'];
  EVT_VMGONE: Facts['gone'];
  /** By the pin's operations; not for a checkpoint's own pause. */
  EVT_VCPUSUSPENDED: { readonly atNs: Nanoseconds };
  EVT_VCPURESUMED: { readonly atNs: Nanoseconds };
  EVT_VMRESTARTED: { readonly atNs: Nanoseconds };

  EVT_CHECKPOINTED: {
    readonly atNs: Nanoseconds;
    readonly checkpoint: Checkpoint;
    readonly algorithm: string;
    readonly closed?: EpochReport;
  };
  EVT_ROLLEDBACK: { readonly atNs: Nanoseconds; readonly to: Checkpoint; readonly rollback: Rollback };
  /** So many checkpoints of the ring are gone before their time: the log area was full, or the agent failed. */
  EVT_CHECKPOINTLOST: {
    readonly atNs: Nanoseconds;
    readonly reason: string;
    readonly checkpoints: number;
    /** Nothing is left to go back to until the next EVT_CHECKPOINTED. `checkpoints` may be 0 then. */
    readonly endsProtection: boolean;
  };
  /** No checkpoint is left, and a failure costs a restart. Published once until protection is restored. */
  EVT_PROTECTIONLOST: { readonly atNs: Nanoseconds; readonly reason: string };
  /** Checkpoints are taken again. The first is the newest too, so the one after it is what a failure is undone with. */
  EVT_PROTECTIONRESTORED: { readonly atNs: Nanoseconds; readonly lostForNs: Nanoseconds };

  EVT_ERRORDETECTED: {
    readonly atNs: Nanoseconds;
    /** `'crash'`, `'hang'`; the list is open. */
    readonly kind: string;
    readonly cause: string;
    /** Last moment at which the guest was known to be healthy. Undefined if the detector cannot tell. */
    readonly suspectSinceNs?: Nanoseconds;
    /**
     * Latency of this error, if the detector knows more about it than its `detects` states. Unused if `suspectSinceNs`
     * is known.
     */
    readonly latency?: LatencyBound;
    /** Where in the guest the error was noticed, such as `pc 0x80000010`. Helps to recognise the same failure again. */
    readonly place?: string;
  };
  EVT_RECOVERED: { readonly atNs: Nanoseconds; readonly record: RecoveryRecord };
  EVT_RECOVERYFAILED: {
    readonly atNs: Nanoseconds;
    readonly trigger: RecoveryTrigger;
    readonly attempts: readonly RungAttempt[];
    readonly reason: string;
    /**
     * The VM stays suspended until someone restarts it. Otherwise it runs on, and the recovery is ready for the next
     * error.
     */
    readonly givenUp: boolean;
  };

  /** A plugin's handler, timer or method threw, or the promise it gave was rejected. */
  EVT_PLUGINFAULT: {
    readonly atNs: Nanoseconds;
    readonly plugin: string;
    /**
     * What ran: the handler of an `EVT_…`, a `timer`, the observer of a `fact …`, the release of what `TOKEN.method`
     * gave, or a callback such as `plan`.
     */
    readonly during: string;
    /** The sequence number of the event it was handling; 0 where there was none. */
    readonly occurrence: number;
    readonly error: unknown;
    /** Faults of the plugin in all; those within a window of domain time count towards its quarantine. */
    readonly faults: number;
  };
  /**
   * The plugin had too many faults in too short a time, or failed to start and will be retried. The kernel has released
   * all it registered, and the domain continues without it. `faults`: in total; 0 if it failed to start.
   */
  EVT_PLUGINQUARANTINED: { readonly atNs: Nanoseconds; readonly plugin: string; readonly faults: number };
  /**
   * Code of a plugin held the guest for longer than the budget. That depends on host time, so this event is part of no
   * deterministic result and has no other consequence. Not every occurrence is published: see the kernel's README.
   */
  EVT_PLUGINSLOW: {
    readonly atNs: Nanoseconds;
    readonly plugin: string;
    /** As in EVT_PLUGINFAULT, as is `occurrence`. */
    readonly during: string;
    readonly occurrence: number;
    /** Until the handler returned or its promise settled; until now if the promise is pending. */
    readonly tookHostMs: number;
    /** The promise is pending (it may never settle), and the guest is held. Undefined once it has settled. */
    readonly isPending?: true;
    readonly budgetHostMs: number;
    /** How often the plugin was slow, including this time and the times that were not published. */
    readonly times: number;
  };
  /** A plugin of the domain is in another state. `reason` where it failed, was quarantined, or is started again. */
  EVT_PLUGINCHANGED: {
    readonly atNs: Nanoseconds;
    readonly plugin: string;
    readonly from: PluginState;
    readonly to: PluginState;
    /** Names of the tokens that the plugin provides. */
    readonly provides: readonly string[];
    readonly reason?: string;
  };
  /** The domain is not what it should be, yet works: a coded warning (`RMK_WARN_…`). */
  EVT_WARNING: { readonly atNs: Nanoseconds; readonly code: WarningCode; readonly message: string };
}

export type EventName = keyof RmkEvents;

/** The events of this package, at run time. Those of third parties are named by their manifests. */
export const CORE_EVENTS = [
  'EVT_PAGEFAULT',
  'EVT_LOGLOST',
  'EVT_VMSIGNAL',
  'EVT_VMSCHEDULED',
  'EVT_VMOUTPUT',
  'EVT_CHANNELCHANGED',
  'EVT_VMASLEEP',
  'EVT_VMAWAKE',
  'EVT_VMREBOOTED',
  'EVT_VMEXITED',
  'EVT_VMGONE',
  'EVT_VCPUSUSPENDED',
  'EVT_VCPURESUMED',
  'EVT_VMRESTARTED',
  'EVT_CHECKPOINTED',
  'EVT_ROLLEDBACK',
  'EVT_CHECKPOINTLOST',
  'EVT_PROTECTIONLOST',
  'EVT_PROTECTIONRESTORED',
  'EVT_ERRORDETECTED',
  'EVT_RECOVERED',
  'EVT_RECOVERYFAILED',
  'EVT_PLUGINFAULT',
  'EVT_PLUGINQUARANTINED',
  'EVT_PLUGINSLOW',
  'EVT_PLUGINCHANGED',
  'EVT_WARNING',
] as const satisfies readonly EventName[];

/** An event as a subscriber sees it. */
export type RmkEvent<E extends EventName> = RmkEvents[E] & {
  /** The plugin that published it, `'kernel'`, or `'host'` for the program around the domain. */
  readonly source: string;
  /**
   * Ascending in the order of delivery, within the domain. An EVT_PLUGINSLOW of the kernel has that of the event before
   * it.
   */
  readonly sequence: number;
};

/** A topic of the bus, resolved once and kept. */
export interface Topic<E extends EventName> {
  /** Whether anyone listens: a publisher may save itself the building of the event. */
  readonly observed: boolean;
  /**
   * Delivers to all subscribers before it returns, unless called from a subscriber: then after the outer event. `event`
   * is given to the bus, which stamps it: a frozen one is a TypeError, one that was published before `RMK_ERR_INPUT`.
   * An event of this package without a valid `atNs` (0 or more, finite) is `RMK_ERR_INPUT` too.
   * Once the publisher was stopped or quarantined this does nothing.
   */
  publish(event: RmkEvents[E]): void;
}

/**
 * Each plugin is injected a bus of its own: what it does there is attributed to it and released with it. An event that
 * neither this package nor a plugin of the domain declares is refused (`RMK_ERR_EVENT`).
 */
export interface Bus {
  topic<E extends EventName>(name: E): Topic<E>;
  /** The domain holds the VM until the promise that a handler returns is settled. */
  on<E extends EventName>(name: E, handle: (event: RmkEvent<E>) => void | Promise<void>): Disposable;
}

export const BUS = token<Bus>('BUS');
