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
import type { CowpAdaptiveOptions } from './options.js';
import { preSavingPays } from './plan.js';

const AHEAD: EpochPlan = { preSave: 'updated' };
const AT_FAULTS: EpochPlan = { preSave: 'none' };

/**
 * COWP where pre-saving pays, COWB where it does not: at long intervals, and under guests that write other pages in
 * each epoch.
 */
@injectable()
export class CowpAdaptive implements CheckpointAlgorithm, Module {
  readonly name = '@rmk/cowp-adaptive';

  constructor(
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(OPTIONS) private readonly options: CowpAdaptiveOptions,
  ) {}

  start(): void {
    // Until the plugin stops: the kernel disposes of it then.
    this.checkpoints.use(this);
  }

  plan(history: readonly EpochReport[]): EpochPlan {
    return preSavingPays(history, this.options.faultCost) ? AHEAD : AT_FAULTS;
  }
}
