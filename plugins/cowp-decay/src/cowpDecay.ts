import 'reflect-metadata';
import {
  CHECKPOINTS,
  OPTIONS,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type EpochReport,
  type Module,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { CowpDecayOptions } from './options.js';
import { decayedPlan } from './plan.js';

/**
 * COWP that foresees pages by their decayed frequency over the retained history, besides those of the epoch that ends.
 */
@injectable()
export class CowpDecay implements CheckpointAlgorithm, Module {
  readonly name = '@rmk/cowp-decay';

  constructor(
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(OPTIONS) private readonly options: CowpDecayOptions,
  ) {}

  start(): void {
    // Until the plugin stops: the kernel disposes of it then.
    this.checkpoints.use(this);
  }

  plan(history: readonly EpochReport[]): EpochPlan {
    return decayedPlan(history, this.options);
  }
}
