import { problemsOf, RmkError, type Nanoseconds } from '@rmk/core';
import type { z } from 'zod';
import type { ProtectionTarget } from '../experiment/protectionTarget.js';
import type { FaultSpace, InjectionTarget } from '../fault/injectionTarget.js';

/** The golden run, for triggers that name a place of it. */
export interface GoldenTimes {
  readonly endNs: Nanoseconds;
  /** Guest time of the newest golden snapshot with at most so many instructions. */
  beforeInstruction(count: number): Nanoseconds;
}

/** What decides when a fault is injected, as its author writes it. Exactly one of `reach` and `arm`. */
export interface TriggerDefinition<Options> {
  /** As an experiment file names it, such as `'symbol'`. */
  readonly name: string;
  /** When the fault is injected. One line. */
  readonly summary: string;
  /** A strict object: unknown keys are refused. */
  readonly options: z.ZodType<Options>;
  /** Why the guest cannot have this trigger, for the user; undefined if it can. */
  check?(options: Options, space: FaultSpace): string | undefined;
  /** Guest time from which `reach` runs the guest. Default: the moment that was drawn. */
  from?(options: Options, golden: GoldenTimes): Nanoseconds;
  /** Runs the undisturbed guest to where the fault is due. False if that does not come. */
  reach?(target: InjectionTarget, options: Options): Promise<boolean>;
  /** From the drawn moment of the protected run on: calls `due` where the fault is due. The first call counts. */
  arm?(protection: ProtectionTarget, due: () => Promise<void>, options: Options): void;
  /** With `arm`: an exception is raised at the drawn moment, so that there is a recovery. */
  readonly needsRecovery?: boolean;
  /** With `arm`: the agent is in the middle of an operation, which waits for `due`. */
  readonly holdsAgent?: boolean;
}

/** A kind of trigger, ready to be chosen by an experiment. Made by {@link defineTrigger}. */
export interface TriggerKind {
  readonly name: string;
  readonly summary: string;
  /** What the options are validated against. */
  readonly options: z.ZodType;
  /** Throws RMK_ERR_INPUT for options that the schema refuses. */
  choose(options?: unknown): ChosenTrigger;
}

/** A trigger with its options. */
export interface ChosenTrigger {
  readonly name: string;
  /** For the digest of the experiment. */
  readonly options: unknown;
  check(space: FaultSpace): string | undefined;
  /** Undefined: from the drawn moment. */
  from(golden: GoldenTimes): Nanoseconds | undefined;
  readonly reach: ((target: InjectionTarget) => Promise<boolean>) | undefined;
  readonly arm: ((protection: ProtectionTarget, due: () => Promise<void>) => void) | undefined;
  readonly needsRecovery: boolean;
  readonly holdsAgent: boolean;
}

/** Makes a trigger, RMK's or one of your own, available to experiments. */
export function defineTrigger<Options>(definition: TriggerDefinition<Options>): TriggerKind {
  const { name, summary, options: schema, needsRecovery = false, holdsAgent = false } = definition;
  const isReached = definition.reach !== undefined;
  const isArmed = definition.arm !== undefined;
  if (isReached === isArmed) throw new RmkError('RMK_ERR_INPUT', `trigger ${name}: give either reach or arm`);
  return {
    name,
    summary,
    options: schema,
    choose: (given = {}) => {
      const parsed = schema.safeParse(given);
      if (!parsed.success)
        throw new RmkError('RMK_ERR_INPUT', `the options of the trigger ${name} are not valid`, {
          problems: problemsOf(parsed.error.issues),
        });
      const options = parsed.data;
      return {
        name,
        options,
        check: (space) => definition.check?.(options, space),
        from: (golden) => definition.from?.(options, golden),
        reach: isReached ? async (target) => (await definition.reach?.(target, options)) === true : undefined,
        arm: isArmed ? (protection, due) => definition.arm?.(protection, due, options) : undefined,
        needsRecovery,
        holdsAgent,
      };
    },
  };
}
