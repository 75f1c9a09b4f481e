import { problemsOf, RmkError } from '@rmk/core';
import type { z } from 'zod';
import type { FaultSpace, InjectionTarget } from './injectionTarget.js';
import type { ProtectionTarget } from '../experiment/protectionTarget.js';
import type { ChosenTrigger } from '../trigger/triggerKind.js';
import type { ExperimentRandom } from '../random/experimentRandom.js';

/** A fault as it was drawn: where, which bit. It is written to the journal as it is. */
export type Place = Readonly<Record<string, string | number>>;

/** A fault that lasts, or of which only the injection shows whether it does anything. */
export interface Injected extends Disposable {
  /** It may still change the guest: nothing is proved of a state that is equal now. */
  readonly isPending: boolean;
  /** Whether it has changed anything so far. */
  readonly hasActed: boolean;
}

/** A kind of fault that a campaign injects, as its author writes it. */
export interface FaultDefinition<Options, P extends Place> {
  /** As an experiment file names it, such as `'register-flip'`. */
  readonly name: string;
  /** What it does to the guest. One line. */
  readonly summary: string;
  /** A strict object: unknown keys are refused. */
  readonly options: z.ZodType<Options>;
  /** Why the guest cannot have this fault, for the user; undefined if it can. */
  check?(options: Options, space: FaultSpace): string | undefined;
  /** `inject` calls `advance`. Refused with a trigger that `arm`s: the guest is held where it is due. */
  readonly needsTime?: boolean;
  /** `harm` waits for the agent. Refused with a trigger that holds the agent: both would wait forever. */
  readonly needsAgent?: boolean;
  /** Draws the fault of one experiment from `random` alone. */
  draw(random: ExperimentRandom, options: Options, space: FaultSpace): P;
  inject(target: InjectionTarget, place: P): Promise<Injected | void>;
  /**
   * What it does to RMK, beside the guest: right before `inject`, in the protected run alone. False if it finds nothing
   * to damage: then nothing is injected.
   */
  harm?(protection: ProtectionTarget, place: P): Promise<boolean | void>;
  /** What exactly was done, for people. */
  describe(place: P): string;
  /** The register that is flipped, so that its first use can be observed. */
  register?(place: P): string;
  /** The guest-physical address of the byte that is flipped. */
  address?(place: P): number;
}

/** A kind of fault, ready to be chosen by an experiment. Made by {@link defineFault}. */
export interface FaultKind {
  readonly name: string;
  readonly summary: string;
  /** What the options are validated against. */
  readonly options: z.ZodType;
  /** `trigger`: default: the drawn moment. Throws RMK_ERR_INPUT for options that the schema refuses. */
  choose(options?: unknown, weight?: number, trigger?: ChosenTrigger): ChosenFault;
}

/** Makes a fault, RMK's or one of your own, available to experiments. */
export function defineFault<Options, P extends Place>(definition: FaultDefinition<Options, P>): FaultKind {
  const { name, summary, options: schema } = definition;
  return {
    name,
    summary,
    options: schema,
    choose: (options = {}, weight = 1, trigger) => {
      const parsed = schema.safeParse(options);
      if (parsed.success) return chosen(definition, parsed.data, weight, trigger);
      throw new RmkError('RMK_ERR_INPUT', `the options of the fault ${name} are not valid`, {
        problems: problemsOf(parsed.error.issues),
      });
    },
  };
}

/** A kind with its options, as an experiment asks for it. Made by {@link FaultKind.choose}. */
export interface ChosenFault {
  readonly name: string;
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /** For the digest of the experiment. */
  readonly options: unknown;
  readonly trigger?: ChosenTrigger;
  check(space: FaultSpace): string | undefined;
  draw(random: ExperimentRandom, space: FaultSpace): DrawnFault;
}

/** The fault of one experiment. */
export interface DrawnFault {
  readonly kind: string;
  readonly place: Place;
  readonly what: string;
  readonly register: string | undefined;
  readonly address: number | undefined;
  readonly trigger: ChosenTrigger | undefined;
  inject(target: InjectionTarget): Promise<Injected | void>;
  harm(protection: ProtectionTarget): Promise<boolean | void>;
}

function chosen<Options, P extends Place>(
  definition: FaultDefinition<Options, P>,
  options: Options,
  weight: number,
  trigger: ChosenTrigger | undefined,
): ChosenFault {
  return {
    name: definition.name,
    weight,
    options,
    ...(trigger === undefined ? {} : { trigger }),
    check: (space) =>
      definition.check?.(options, space) ?? trigger?.check(space) ?? clashOf(definition, trigger),
    draw: (random, space) => {
      const place = definition.draw(random, options, space);
      return {
        kind: definition.name,
        place,
        what: definition.describe(place),
        register: definition.register?.(place),
        address: definition.address?.(place),
        trigger,
        inject: (target) => definition.inject(target, place),
        harm: async (protection) => definition.harm?.(protection, place),
      };
    },
  };
}

/** Why the fault cannot have this trigger. */
function clashOf(
  { name, needsTime, needsAgent }: Pick<FaultDefinition<never, never>, 'name' | 'needsTime' | 'needsAgent'>,
  trigger: ChosenTrigger | undefined,
): string | undefined {
  if (needsTime === true && trigger?.arm !== undefined)
    return `${name} has to let the guest run, but the trigger ${trigger.name} holds it. Choose another trigger`;
  if (needsAgent === true && trigger?.holdsAgent === true)
    return `${name} waits for the agent, which the trigger ${trigger.name} holds. Choose another trigger`;
  return undefined;
}
