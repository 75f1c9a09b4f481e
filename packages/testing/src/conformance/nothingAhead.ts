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

  constructor(@inject(CHECKPOINTS) private readonly checkpoints: Checkpoints) {}

  start(): void {
    // Until the plugin stops: the kernel disposes of it then.
    this.checkpoints.use(this);
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
