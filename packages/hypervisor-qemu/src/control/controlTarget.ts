import type {
  CheckpointControl,
  ControlEvents,
  ControlKind,
  ControlOptions,
  TrackerKind,
} from './checkpointControl.js';
import type { QmpClient } from '../qmp/qmpClient.js';

/** The QEMU process that a control takes checkpoints of. */
export interface ControlTarget {
  readonly qmp: QmpClient;
  readonly pid: number;
  /** Private (0700), in a file system of memory: for sockets and for what the library shares. */
  readonly folder: string;
  /** Guest RAM: page frame n is at n × 4096. */
  readonly ramFile: string;
  readonly memoryBytes: number;
  /** Where a guest-physical address lies in that file. */
  readonly offsetOf: (address: number) => number;
  /**
   * The environment of QEMU names both to the library: `RMK_LIBRARY_SOCKET`, where it listens, and `RMK_RAM_FILE`.
   * Undefined if QEMU was started without the library.
   */
  readonly librarySocket?: string;
  /**
   * A second QMP socket of QEMU, which nobody else uses: under control by QMP the library resumes the VM through it if
   * RMK dies. Without it the library waits for the socket of {@link qmp}, where the next RMK process may have come
   * first.
   */
  readonly spareQmpSocket?: string;
  /** Writes guest-physical memory by the gdb stub: control by QMP has no other safe way. */
  readonly writeMemory?: (address: number, data: Uint8Array) => Promise<void>;
  /** The end of QEMU's stderr, for errors. */
  readonly stderrTail: () => string;
}

/** What a user may choose; `'auto'` leaves the choice to the driver. */
export interface ControlChoice extends ControlOptions {
  /** `'auto'`: in-process if QEMU's build is known and the self-test passes, otherwise QMP. */
  readonly kind: ControlKind | 'auto';
  readonly tracker: TrackerKind | 'auto';
}

/** A control, and for people the reason for this choice. */
export interface ChosenControl {
  readonly control: CheckpointControl;
  readonly why: string;
}

/** Chooses, checks and opens the control of a QEMU process. */
export type OpenControl = (
  target: ControlTarget,
  choice: ControlChoice,
  events: ControlEvents,
) => Promise<ChosenControl>;
