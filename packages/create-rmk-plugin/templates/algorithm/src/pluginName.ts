import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  OPTIONS,
  type Bus,
  type CheckpointAlgorithm,
  type Checkpoints,
  type Clock,
  type EpochPlan,
  type EpochReport,
  type Module,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { PluginNameOptions } from './options.js';

/** Saves those pages ahead that were written in each of the last epochs, so that the guest need not fault at them. */
@injectable()
export class PluginName implements CheckpointAlgorithm, Module {
  readonly name = 'rmk-plugin-plugin-name';

  constructor(
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(OPTIONS) private readonly options: PluginNameOptions,
  ) {}

  start(): void {
    // Rules from the next checkpoint on, until the plugin is stopped: the kernel disposes of it then.
    this.checkpoints.use(this);
  }

  /**
   * Called before each checkpoint, outside the pause. `history`: epochs that have ended, newest first, as many as the
   * ring holds.
   */
  plan(history: readonly EpochReport[]): EpochPlan {
    const { epochs } = this.options;
    const last = history.slice(0, epochs);
    const add = last.length < epochs ? new Uint32Array(0) : writtenInAll(last);
    this.bus.topic('EVT_PLUGINNAMEPLANNED').publish({ atNs: this.clock.now(), pages: add.length });
    return { preSave: 'none', add };
  }
}

/** Page frames, ascending. */
export function writtenInAll([newest, ...older]: readonly EpochReport[]): Uint32Array {
  const sets = older.map(({ updated }) => new Set(updated));
  return (newest?.updated ?? new Uint32Array(0)).filter((frame) => sets.every((set) => set.has(frame)));
}
