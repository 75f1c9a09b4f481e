import 'reflect-metadata';
import {
  CHECKPOINTS,
  definePlugin,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type Module,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** The algorithm beside which, or under which, a plugin is tested: it saves nothing ahead. */
@injectable()
class NothingAhead implements CheckpointAlgorithm, Module {
  readonly name = 'rmk-plugin-nothing-ahead';
  private use: Disposable | undefined;

  constructor(@inject(CHECKPOINTS) private readonly checkpoints: Checkpoints) {}

  start(): void {
    this.use = this.checkpoints.use(this);
  }

  stop(): void {
    this.use?.[Symbol.dispose]();
  }

  plan(): EpochPlan {
    return { preSave: 'none' };
  }
}

export const nothingAhead = definePlugin({
  name: 'rmk-plugin-nothing-ahead',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTS],
  modules: [NothingAhead],
});
