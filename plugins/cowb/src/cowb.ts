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
  private use: Disposable | undefined;

  constructor(@inject(CHECKPOINTS) private readonly checkpoints: Checkpoints) {}

  start(): void {
    this.use = this.checkpoints.use(this);
  }

  stop(): void {
    this.use?.[Symbol.dispose]();
  }

  plan(): EpochPlan {
    return EVERYTHING_PROTECTED;
  }
}
