import { CORE_EVENTS, RmkError, type Checkpointed, type EventName } from '@rmk/core';
import { suggestion } from '@rmk/kernel';
import { z } from 'zod';
import type { ProtectionTarget } from '../experiment/protectionTarget.js';
import { defineFault } from './faultKind.js';
import type { InjectionTarget } from './injectionTarget.js';
import { throwingPlugin } from './throwingPlugin.js';

// Each of them damages RMK, and then raises an exception in the guest, so that there is something to recover from. The
// twin has the exception alone.

const CAUSE = 'illegal-instruction';
const raise = ({ machine }: InjectionTarget): Promise<void> => machine.raise(CAUSE);
const PAGE_BITS = 8 * 4096;
const MANY = 2 ** 30;

/** Damage of a driver's checkpoints, beneath their checksums. */
type Damageable = {
  readonly log: { damage(frame: number, bit: number): void };
  readonly context: { readonly bytes: number; damage(bit: number): void };
};

const options = z.strictObject({
  /** 0: the newest. One that is older than what is retained is the oldest. */
  age: z.int().min(0).default(0),
});

export const logDamage = defineFault({
  name: 'log-damage',
  summary: 'flips a bit of a page that a checkpoint has saved, then raises an exception',
  options,
  draw: (random, { age }) => ({
    age,
    page: random.integer(0, MANY),
    bit: random.integer(0, PAGE_BITS - 1),
  }),
  async harm(protection, { age, page, bit }) {
    const { log, damageable } = await checkpointOf(protection, age);
    const saved: number[] = [];
    for (const frame of await log.frames()) if ((await log.read(frame)) !== 'absent') saved.push(frame);
    const frame = saved[page % saved.length];
    if (frame === undefined) return false;
    damageable.log.damage(frame, bit);
    return true;
  },
  inject: raise,
  describe: ({ age, bit }) => `bit ${bit} of a page in the log of checkpoint ${age}, then ${CAUSE}`,
});

export const contextDamage = defineFault({
  name: 'context-damage',
  summary: 'flips a bit of the context that a checkpoint has saved, then raises an exception',
  options,
  draw: (random, { age }) => ({ age, bit: random.integer(0, MANY) }),
  async harm(protection, { age, bit }) {
    const { damageable } = await checkpointOf(protection, age);
    damageable.context.damage(bit % (8 * damageable.context.bytes));
  },
  inject: raise,
  describe: ({ age }) => `a bit of the context of checkpoint ${age}, then ${CAUSE}`,
});

export const pluginThrows = defineFault({
  name: 'plugin-throws',
  summary: 'a plugin throws in the middle of the recovery from an exception',
  options: z.strictObject({
    /** The event at which it throws. */
    during: z.string().default('EVT_ROLLEDBACK'),
  }),
  check({ during }) {
    if (CORE_EVENTS.some((name) => name === during)) return undefined;
    return `unknown event ${JSON.stringify(during)}, ${suggestion(during, CORE_EVENTS)}`;
  },
  draw: (_, { during }) => ({ during }),
  harm: ({ domain }, { during }) => domain.install(throwingPlugin(during as EventName)),
  inject: raise,
  describe: ({ during }) => `a plugin throws at ${during}, after ${CAUSE}`,
});

export const agentRemoved = defineFault({
  name: 'agent-removed',
  summary: 'the checkpoint agent is removed, with all that needs it, then an exception is raised',
  options: z.strictObject({
    /** What is removed. Default: the agent of RMK. */
    plugin: z.string().default('@rmk/checkpoint'),
  }),
  needsAgent: true,
  draw: (_, { plugin }) => ({ plugin }),
  harm: ({ domain }, { plugin }) => domain.remove(plugin, { dependants: 'remove' }),
  inject: raise,
  describe: ({ plugin }) => `${plugin} is removed, then ${CAUSE}`,
});

export const agentRestarted = defineFault({
  name: 'agent-restarted',
  summary: 'the checkpoint agent is restarted and loses what it retains, then an exception is raised',
  options: z.strictObject({ plugin: z.string().default('@rmk/checkpoint') }),
  needsAgent: true,
  draw: (_, { plugin }) => ({ plugin }),
  harm: ({ domain }, { plugin }) => domain.restart(plugin),
  inject: raise,
  describe: ({ plugin }) => `${plugin} is restarted, then ${CAUSE}`,
});

async function checkpointOf(
  protection: ProtectionTarget,
  age: number,
): Promise<Checkpointed & { readonly damageable: Damageable }> {
  const retained = await protection.checkpoints();
  const found = retained[Math.min(age, retained.length - 1)];
  if (found === undefined)
    throw new RmkError('RMK_ERR_INPUT', 'no checkpoint is retained at the injection: inject later');
  if (!isDamageable(found))
    throw new RmkError('RMK_ERR_INPUT', 'this hypervisor cannot damage its checkpoints: leave the fault out');
  return { ...found, damageable: found };
}

function isDamageable(checkpointed: object): checkpointed is Damageable {
  if (!('log' in checkpointed) || !('context' in checkpointed)) return false;
  const { log, context } = checkpointed as { readonly log: object; readonly context: object };
  return 'damage' in log && 'damage' in context;
}
