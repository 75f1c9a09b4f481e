import 'reflect-metadata';
import { RmkError, tokenName, type Class, type PluginDefinition } from '@rmk/core';
import { GIVEN_TO_ALL } from './givenToAll.js';
import { ownConstructor } from './ownConstructor.js';

/** Metadata key of tsyringe's `@inject`: the tokens of a class by the positions of its parameters. */
const INJECTED = 'injectionTokens';

/** One RMK_ERR_START for each constructor parameter that nothing can be injected for. Runs no code of the plugin. */
export function injectionErrors(definition: PluginDefinition): readonly RmkError[] {
  const { name, provides = [], requires = [], optional = [], modules = [] } = definition;
  const available = new Set<unknown>([
    ...GIVEN_TO_ALL,
    ...requires,
    ...optional,
    ...provides.map(({ token }) => token),
  ]);
  const classes = new Set<Class>([...provides.map(({ by }) => by), ...modules]);
  return [...classes].flatMap((one) =>
    reasonsAgainst(one, available).map(
      (reason) => new RmkError('RMK_ERR_START', `${name}: ${reason}`, { plugin: name }),
    ),
  );
}

function reasonsAgainst(one: Class, available: ReadonlySet<unknown>): readonly string[] {
  const base = inheritedFrom(one);
  if (base !== undefined) {
    return [
      `${one.name} cannot be injected: it inherits its constructor from ${base.name}. Give it one of its own, with @inject(TOKEN) on each parameter`,
    ];
  }
  const tokens = tokensOf(one);
  const parameters = ownConstructor(one)?.parameters ?? [];
  const count = Math.max(parameters.length, ...Object.keys(tokens).map((position) => Number(position) + 1));
  return Array.from({ length: count }, (_, index) => {
    const { name, isNeeded = true } = parameters[index] ?? {};
    const parameter = `parameter ${index + 1}${name === undefined ? '' : ` (${name})`}`;
    if (index in tokens) return reasonAgainst(one, tokenOf(tokens[index]), parameter, available);
    return isNeeded
      ? `${one.name} cannot be injected: put @injectable() on the class and @inject(TOKEN) on ${parameter} of its constructor`
      : undefined;
  }).filter((reason) => reason !== undefined);
}

function reasonAgainst(
  { name }: Class,
  injected: unknown,
  parameter: string,
  available: ReadonlySet<unknown>,
): string | undefined {
  if (available.has(injected)) return undefined;
  if (typeof injected === 'symbol')
    return `${name} asks for ${tokenName(injected)}, which the manifest does not require: add it to \`requires\``;
  const given =
    typeof injected === 'string'
      ? `the text '${injected}'`
      : typeof injected === 'function'
        ? `the class ${injected.name}`
        : String(injected);
  const fix =
    injected === undefined
      ? 'That often comes of an import cycle: move the token into a file of its own'
      : 'Import the token and write @inject(TOKEN)';
  return `${name} asks for ${given} by @inject on ${parameter}, which is no token. ${fix}`;
}

/**
 * The base class whose constructor a class without its own inherits, if that constructor is injected or needs
 * arguments.
 */
function inheritedFrom(one: Class): Class | undefined {
  if (ownConstructor(one) !== undefined) return undefined;
  const base: unknown = Object.getPrototypeOf(one);
  if (typeof base !== 'function' || base === Function.prototype) return undefined;
  const parent = base as Class;
  const parameters = ownConstructor(parent)?.parameters ?? [];
  if (parameters.some(({ isNeeded }) => isNeeded) || Object.keys(tokensOf(parent)).length > 0) return parent;
  return inheritedFrom(parent);
}

function tokensOf(one: Class): Readonly<Record<number, unknown>> {
  const tokens: unknown = Reflect.getOwnMetadata(INJECTED, one);
  return typeof tokens === 'object' && tokens !== null ? (tokens as Record<number, unknown>) : {};
}

/** tsyringe wraps a token that has options. */
function tokenOf(injected: unknown): unknown {
  return typeof injected === 'object' && injected !== null && 'token' in injected ? injected.token : injected;
}
