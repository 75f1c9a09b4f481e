import 'reflect-metadata';
import {
  CHECKPOINTS,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type EpochReport,
  type Module,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { unionPlan } from './plan.js';

/** COWP that looks back two epochs: a page that is written in every other epoch is foreseen too. */
@injectable()
export class CowpUnion implements CheckpointAlgorithm, Module {
  readonly name = '@rmk/cowp-union';

  constructor(@inject(CHECKPOINTS) private readonly checkpoints: Checkpoints) {}

  start(): void {
    // Until the plugin stops: the kernel disposes of it then.
    this.checkpoints.use(this);
  }

  plan(history: readonly EpochReport[]): EpochPlan {
    return unionPlan(history);
  }
}
