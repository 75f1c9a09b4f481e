import { tokenName } from '@rmk/core';
import { optionalOf, requiredOf, type CheckedPlugin } from './manifest.js';

/** Why one plugin starts after another. */
interface Wait {
  readonly on: CheckedPlugin;
  readonly because: string;
}

/** Plugins that wait for each other: `path` is `a → b → a`, each starts after the next. */
export interface Cycle {
  readonly path: string;
  readonly reasons: readonly string[];
}

/**
 * The start order of plugins: each after the providers of what it requires or optionally uses, and as `before` and
 * `after` say. Stable: among the plugins that may start next, the first in the list starts. Returns all cycles that
 * have no plugin in common.
 */
export function startOrder(
  plugins: readonly CheckedPlugin[],
): { readonly order: readonly CheckedPlugin[] } | { readonly cycles: readonly [Cycle, ...Cycle[]] } {
  const waits = new Map(plugins.map((plugin) => [plugin, waitsOf(plugin, plugins)]));
  const waiting = new Set(plugins);
  const order: CheckedPlugin[] = [];
  const cycles: Cycle[] = [];
  while (waiting.size > 0) {
    const next = [...waiting].find((plugin) => !waits.get(plugin)?.some(({ on }) => waiting.has(on)));
    if (next === undefined) {
      const { among, ...cycle } = findCycle(waiting, waits);
      cycles.push(cycle);
      // Continue as if this cycle were fixed, to find the others too.
      for (const plugin of among) waiting.delete(plugin);
    } else {
      waiting.delete(next);
      order.push(next);
    }
  }
  const [first, ...others] = cycles;
  return first === undefined ? { order } : { cycles: [first, ...others] };
}

function waitsOf(plugin: CheckedPlugin, plugins: readonly CheckedPlugin[]): readonly Wait[] {
  const { name, definition } = plugin;
  return plugins.flatMap((on) => [
    ...requiredOf(plugin, on).map((token) => ({
      on,
      because: `${name} requires ${tokenName(token)} of ${on.name}`,
    })),
    ...optionalOf(plugin, on).map((token) => ({
      on,
      because: `${name} optionally uses ${tokenName(token)} of ${on.name}`,
    })),
    ...(definition.after?.includes(on.name) ? [{ on, because: `${name} starts after ${on.name}` }] : []),
    ...(on.definition.before?.includes(name) ? [{ on, because: `${on.name} starts before ${name}` }] : []),
  ]);
}

/** Every plugin in `waiting` waits for another one in it, so following the waits leads back to a visited one. */
function findCycle(
  waiting: ReadonlySet<CheckedPlugin>,
  waits: ReadonlyMap<CheckedPlugin, readonly Wait[]>,
): Cycle & { readonly among: readonly CheckedPlugin[] } {
  const walked: CheckedPlugin[] = [];
  const reasons: string[] = [];
  let [plugin] = waiting;
  while (plugin !== undefined && !walked.includes(plugin)) {
    const wait: Wait | undefined = waits.get(plugin)?.find(({ on }) => waiting.has(on));
    walked.push(plugin);
    reasons.push(wait?.because ?? '');
    plugin = wait?.on;
  }
  const start = walked.findIndex((one) => one === plugin);
  const among = walked.slice(start);
  const names = among.map(({ name }) => name);
  return { path: [...names, names[0]].join(' → '), reasons: reasons.slice(start), among };
}
