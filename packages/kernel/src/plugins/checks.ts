import {
  DETECTIONS,
  isExclusive,
  providerHint,
  RmkError,
  tokenName,
  VIRTUAL_MACHINE,
  type Plugin,
  type Token,
  type VirtualMachine,
} from '@rmk/core';
import { withCompanions } from './companions.js';
import { GIVEN_TO_ALL } from './givenToAll.js';
import { checkPlugin, type CheckedPlugin } from './manifest.js';
import { startOrder } from './startOrder.js';
import type { Timeout } from '../supervision/timeout.js';

/** What the kernel itself provides. */
const KERNEL_TOKENS: ReadonlySet<Token<unknown>> = new Set([...GIVEN_TO_ALL, DETECTIONS, VIRTUAL_MACHINE]);

/**
 * Checks plugins against each other, against the running ones and against the hypervisor, before any of their classes
 * is constructed. Returns them, with their companions, in start order, or throws one error with every problem.
 */
export async function checkPlugins(
  given: readonly Plugin[],
  running: readonly CheckedPlugin[],
  machine: VirtualMachine,
  /** For the schema of each. */
  limit: Timeout,
  /** Exclusive rights that the host has taken. */
  ofHost: ReadonlySet<Token<unknown>> = new Set(),
): Promise<readonly CheckedPlugin[]> {
  const plugins = withCompanions(
    given,
    running.map(({ name }) => name),
  );
  const results = await Promise.all(plugins.map((plugin) => checkPlugin(plugin, machine, limit)));
  const errors = results.flatMap((result) => result.errors);
  const readable = results.flatMap(({ plugin }) => plugin ?? []);
  const all = [...running, ...readable];

  errors.push(...duplicateNames(all), ...duplicateTokens(all), ...heldByOthers(all, ofHost));
  // What a malformed plugin would provide is unknown, so nothing counts as missing.
  if (readable.length === plugins.length) errors.push(...missing(readable, all));
  const ordered = startOrder(readable);
  for (const { path, reasons } of 'cycles' in ordered ? ordered.cycles : []) {
    const plugin = path.split(' → ')[0] ?? path;
    const message = `${path} (${reasons.join('; ')}). Remove one of these dependencies.`;
    errors.push(new RmkError('RMK_ERR_CYCLE', message, { plugin }));
  }

  const [first, ...others] = errors;
  if (first !== undefined) throw refusal([first, ...others]);
  return 'order' in ordered ? ordered.order : [];
}

/** Combines all errors into one: with their common code if they concern one plugin, else RMK_ERR_REFUSED. */
function refusal(errors: readonly [RmkError, ...RmkError[]]): RmkError {
  const [{ code, plugin }] = errors;
  const count = errors.reduce((sum, { problems }) => sum + Math.max(1, problems.length), 0);
  const isOfOne = errors.every((error) => error.code === code && error.plugin === plugin);
  return RmkError.combining(
    errors,
    isOfOne && plugin !== undefined
      ? { code, plugin, reason: `${plugin} has ${count} problems` }
      : { code: 'RMK_ERR_REFUSED', reason: `${count} problems; no plugin was started` },
  );
}

function duplicateNames(plugins: readonly CheckedPlugin[]): readonly RmkError[] {
  const seen = new Map<string, CheckedPlugin>();
  return plugins.flatMap((plugin) => {
    const { name, definition } = plugin;
    const other = seen.get(name);
    seen.set(name, plugin);
    if (other === undefined) return [];
    const versions = `${other.definition.version} and ${definition.version}`;
    const message = `two plugins are named ${name} (${versions}): leave one of them out`;
    return [new RmkError('RMK_ERR_DUPLICATE', message, { plugin: name })];
  });
}

function duplicateTokens(plugins: readonly CheckedPlugin[]): readonly RmkError[] {
  const providers = new Map<Token<unknown>, string>(
    Array.from(KERNEL_TOKENS, (token) => [token, 'the kernel']),
  );
  return plugins.flatMap(({ name, definition }) =>
    (definition.provides ?? []).flatMap(({ token }): readonly RmkError[] => {
      const other = providers.get(token);
      providers.set(token, name);
      if (other === undefined) return [];
      const both =
        other === name
          ? `${name} provides ${tokenName(token)} twice`
          : `both ${other} and ${name} provide ${tokenName(token)}`;
      const message = `${both}: only one may, so leave the other out`;
      return [new RmkError('RMK_ERR_DUPLICATE', message, { plugin: name })];
    }),
  );
}

/** Each exclusive right goes to the first plugin that requires or optionally uses it. */
function heldByOthers(
  plugins: readonly CheckedPlugin[],
  ofHost: ReadonlySet<Token<unknown>>,
): readonly RmkError[] {
  const holders = new Map<Token<unknown>, string>(Array.from(ofHost, (token) => [token, 'the host']));
  return plugins.flatMap(({ name, definition: { requires = [], optional = [] } }) =>
    [...new Set([...requires, ...optional])].filter(isExclusive).flatMap((token) => {
      const holder = holders.get(token) ?? name;
      holders.set(token, holder);
      if (holder === name) return [];
      const fix = ofHost.has(token) ? 'release it first, with domain.release' : 'leave one of them out';
      const message = `${name} requires ${tokenName(token)}, which only one plugin of a domain may hold, and ${holder} does: ${fix}`;
      return [new RmkError('RMK_ERR_EXCLUSIVE', message, { plugin: name })];
    }),
  );
}

function missing(plugins: readonly CheckedPlugin[], all: readonly CheckedPlugin[]): readonly RmkError[] {
  const provided = new Set(
    all.flatMap(({ definition }) => (definition.provides ?? []).map(({ token }) => token)),
  );
  return plugins.flatMap(({ name, definition }) =>
    (definition.requires ?? [])
      .filter((token) => !provided.has(token) && !KERNEL_TOKENS.has(token))
      .map((token) => {
        const message = `${name} requires ${tokenName(token)}, but no plugin of the domain provides it. ${providerHint(token)}`;
        return new RmkError('RMK_ERR_MISSING', message, { plugin: name });
      }),
  );
}
