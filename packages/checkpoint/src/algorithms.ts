import { reportFault, RmkError, type CheckpointAlgorithm, type EpochPlan, type EpochReport } from '@rmk/core';
import { readPlan } from './plan.js';

/** A plan that saves nothing ahead. No driver rejects it. */
export const NO_PRESAVE: EpochPlan = { preSave: 'none' };

/** The plan for the next epoch, and the algorithm that made it. */
export interface NextPlan {
  readonly plan: EpochPlan;
  readonly by: CheckpointAlgorithm;
}

/** One installation of an algorithm, which may be installed twice. */
interface Use {
  readonly algorithm: CheckpointAlgorithm;
}

/** The installed checkpoint algorithms, of which the latest decides. */
export class Algorithms {
  private uses: readonly Use[] = [];
  private failures: readonly { readonly algorithm: CheckpointAlgorithm; readonly error: unknown }[] = [];

  get installed(): number {
    return this.uses.length;
  }

  /**
   * `removed` is called once, when the installation is disposed of, unless the algorithm was dropped for its failure.
   */
  add(algorithm: CheckpointAlgorithm, removed: () => void): Disposable {
    refuseNoAlgorithm(algorithm);
    const use: Use = { algorithm };
    this.uses = [...this.uses, use];
    return {
      [Symbol.dispose]: () => {
        if (!this.uses.includes(use)) return;
        this.uses = this.uses.filter((other) => other !== use);
        removed();
      },
    };
  }

  clear(): void {
    this.uses = [];
  }

  /** The plan of the latest algorithm. One that throws gives way to the one before. Undefined if none is left. */
  planNext(history: readonly EpochReport[]): NextPlan | undefined {
    for (const { algorithm: by } of this.uses.toReversed()) {
      try {
        const given: unknown = by.plan(history);
        return { plan: this.planOf(given, by), by };
      } catch (error) {
        this.failed(by, error);
      }
    }
    return undefined;
  }

  /** The last remaining algorithm is retried at the next interval; any other one is dropped. */
  failed(algorithm: CheckpointAlgorithm, error: unknown): void {
    const others = this.uses.filter((use) => use.algorithm !== algorithm);
    if (others.length > 0) this.uses = others;
    this.failures = [...this.failures, { algorithm, error }];
  }

  /**
   * Reports what has failed, as faults of the plugins that gave the algorithms. A plugin may be quarantined for it at
   * once, and its algorithm removed: so this comes after the checkpoint or the rollback, not within.
   */
  reportFailures(): void {
    const { failures } = this;
    this.failures = [];
    for (const { algorithm, error } of failures) reportFault(algorithm, 'plan', error);
  }

  /** A value that is not a plan counts as a plan that the driver rejects. */
  private planOf(given: unknown, by: CheckpointAlgorithm): EpochPlan {
    try {
      return readPlan(given, by.name);
    } catch (error) {
      this.failed(by, error);
      return NO_PRESAVE;
    }
  }
}

function refuseNoAlgorithm(given: unknown): void {
  const isObject = typeof given === 'object' && given !== null;
  if (isObject && 'name' in given && typeof given.name === 'string') {
    if ('plan' in given && typeof given.plan === 'function') return;
  }
  throw new RmkError(
    'RMK_ERR_INPUT',
    'checkpoints.use: expected an algorithm, that is an object with a `name` and a method `plan`',
  );
}
