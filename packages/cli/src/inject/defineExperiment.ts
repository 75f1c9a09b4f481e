import type { FaultKind, TriggerKind } from '@rmk/campaign';
import type { Duration } from '@rmk/core';
import type { MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import type { GuestConfig } from '../defineConfig.js';

/** An embedded guest, as `rmk run` takes it. Its protection has a key of its own. */
export type ExperimentGuest = Omit<Exclude<GuestConfig, { readonly qemu: object }>, 'plugins' | 'protect'>;

/** A fault by name, or with options and how often it is drawn. In TypeScript a fault of your own, too. */
export type FaultConfig =
  | string
  | FaultKind
  | {
      readonly fault: string | FaultKind;
      readonly options?: object;
      /** Relative to the other faults, a whole number. Default: 1. */
      readonly weight?: number;
      /** When it is injected. Default: at the moment that was drawn. */
      readonly trigger?: TriggerConfig;
    };

/** A trigger by name, or with options. In TypeScript a trigger of your own, too. */
export type TriggerConfig =
  string | TriggerKind | { readonly trigger: string | TriggerKind; readonly options?: object };

/** What `rmk inject` runs. Paths are relative to the file. */
export interface ExperimentConfig {
  readonly guest: ExperimentGuest;
  /** The protection under test: options of the preset. */
  readonly protect?: MicrocheckpointOptions;
  readonly faults: readonly FaultConfig[];
  /** The most experiments. Default: 1000; with `margin`, enough for it where one of ten faults is detected. */
  readonly count?: number;
  /** The campaign ends when the 95 % interval of recovered of detected is no wider than ± this, such as 0.01. */
  readonly margin?: number;
  /** Default: 1. */
  readonly seed?: number;
  /** What the guest must do without faults. Default: exit code 0 within 60 s of guest time. */
  readonly steadyState?: {
    readonly exitCode?: number;
    /** Text that the output must contain. */
    readonly output?: string;
    readonly within?: Duration;
  };
  /** Guest time of the injections. Default: from where the history is full to the end of the guest. */
  readonly window?: { readonly from?: Duration; readonly to?: Duration };
  /** Guest time between two golden snapshots. Default: `'2ms'`. */
  readonly grid?: Duration;
  /** Guest time after which a fault that changed nothing but the flipped place is given no more. Default: `'250ms'`. */
  readonly watch?: Duration;
  /** Guest time past the end of the golden run after which a guest counts as hung. Default: `'500ms'`. */
  readonly timeout?: Duration;
  /** Share of the experiments that run to the end although their equality was proved. Default: 0.05. */
  readonly control?: number;
}

/** Gives the experiment back as it is: for completion and type errors in the editor. */
export function defineExperiment(experiment: ExperimentConfig): ExperimentConfig {
  return experiment;
}
