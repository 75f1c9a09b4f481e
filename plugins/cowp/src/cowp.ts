import 'reflect-metadata';
import {
  CHECKPOINTS,
  OPTIONS,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type Module,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { CowpOptions } from './options.js';

/**
 * COWP (§3): the pages written in the last epoch (H_i) are expected to be written again, so they are saved at once and
 * left writable. H_0 is what was written before t_0, or since the protection was lost, where the driver knows it. After
 * a rollback H is what the undone epochs had written.
 */
@injectable()
export class Cowp implements CheckpointAlgorithm, Module {
  readonly name = '@rmk/cowp';
  private readonly epochPlan: EpochPlan;

  constructor(
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(OPTIONS) { clusterPages }: CowpOptions,
  ) {
    this.epochPlan = { preSave: 'updated', clusterPages };
  }

  start(): void {
    // Until the plugin stops: the kernel disposes of it then.
    this.checkpoints.use(this);
  }

  plan(): EpochPlan {
    return this.epochPlan;
  }
}
