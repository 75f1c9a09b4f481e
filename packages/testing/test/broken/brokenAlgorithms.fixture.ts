import 'reflect-metadata';
import {
  CHECKPOINTS,
  definePlugin,
  OPTIONS,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type EpochReport,
  type Module,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { z } from 'zod';
import { describeCheckpointAlgorithm } from '../../src/conformance/index.js';

const flaws = z.enum(['malformed plan', 'memory of what was undone', 'drops a page of the history']);

@injectable()
class BrokenAlgorithm implements CheckpointAlgorithm, Module {
  readonly name = 'rmk-plugin-broken-algorithm';
  private use: Disposable | undefined;
  private remembered = new Uint32Array(0);

  constructor(
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(OPTIONS) private readonly flaw: z.output<typeof flaws>,
  ) {}

  start(): void {
    this.use = this.checkpoints.use(this);
  }

  stop(): void {
    this.use?.[Symbol.dispose]();
  }

  plan(history: readonly EpochReport[]): EpochPlan {
    const [newest] = history;
    if (this.flaw === 'malformed plan') return { preSave: 'updated', clusterPages: 3 };
    if (this.flaw === 'memory of what was undone') {
      if (newest !== undefined) this.remembered = newest.updated.slice();
      return { preSave: 'none', add: this.remembered };
    }
    newest?.updated.fill(0, 0, 1);
    return { preSave: 'updated' };
  }
}

const brokenAlgorithm = definePlugin({
  name: 'rmk-plugin-broken-algorithm',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTS],
  modules: [BrokenAlgorithm],
  options: flaws,
});

for (const one of flaws.options)
  describeCheckpointAlgorithm(`with a flaw: ${one}`, () => brokenAlgorithm(one));
