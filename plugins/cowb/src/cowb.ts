import 'reflect-metadata';
import {
  CHECKPOINTS,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type Module,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';

const EVERYTHING_PROTECTED: EpochPlan = { preSave: 'none' };

/** COWB (§3): at each checkpoint every page is write-protected, and the first write to each is what saves it. */
@injectable()
export class Cowb implements CheckpointAlgorithm, Module {
  readonly name = '@rmk/cowb';

  constructor(@inject(CHECKPOINTS) private readonly checkpoints: Checkpoints) {}

  start(): void {
    // Until the plugin stops: the kernel disposes of it then.
    this.checkpoints.use(this);
  }

  plan(): EpochPlan {
    return EVERYTHING_PROTECTED;
  }
}
