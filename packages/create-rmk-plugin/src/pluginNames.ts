import { UsageError } from './usageError.js';

/** What the parts of a plugin are called. */
export interface PluginNames {
  /** The npm name: `rmk-plugin-<name>`, in a scope where one is given. */
  readonly packageName: string;
  /** The npm name without its scope. */
  readonly folder: string;
  /** `roomTemperature`: the factory, and the file. */
  readonly camelCase: string;
  /** `RoomTemperature`: the class. */
  readonly pascalCase: string;
  /** `ROOMTEMPERATURE`: in the names of events and tokens, which are one run of capitals. */
  readonly capitals: string;
}

const PREFIX = 'rmk-plugin-';
const MOST_CHARACTERS = 214;
const SCOPED = /^(?:(@[^/]*)\/)?(.*)$/;
const SCOPE = /^@[a-z0-9][a-z0-9._-]*$/;
const WORDS = /^[a-z][a-z0-9]*(?:[-._][a-z0-9]+)*$/;
const RESERVED: ReadonlySet<string> = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends ' +
    'false finally for function if implements import in instanceof interface let new null package private protected ' +
    'public return static super switch this throw true try typeof undefined var void while with yield'
  ).split(' '),
);

/**
 * `name` may have the scope, the prefix, both or neither. Throws a {@link UsageError} where npm or TypeScript would
 * refuse it.
 */
export function pluginNames(name: string): PluginNames {
  const [, scope, unscoped = ''] = SCOPED.exec(name) ?? [];
  const words = unscoped.startsWith(PREFIX) ? unscoped.slice(PREFIX.length) : unscoped;
  const folder = PREFIX + words;
  const packageName = scope === undefined ? folder : `${scope}/${folder}`;
  const camelCase = words.replaceAll(/[-._](.)/g, (_, first: string) => first.toUpperCase());
  const reason = whyNot(scope, words, packageName, camelCase);
  if (reason !== undefined)
    throw new UsageError(`${JSON.stringify(name)} is no name for a plugin: ${reason}`);
  return {
    packageName,
    folder,
    camelCase,
    pascalCase: camelCase.slice(0, 1).toUpperCase() + camelCase.slice(1),
    capitals: camelCase.toUpperCase(),
  };
}

function whyNot(
  scope: string | undefined,
  words: string,
  packageName: string,
  camelCase: string,
): string | undefined {
  if (scope !== undefined && !SCOPE.test(scope)) {
    return 'a scope is @ and lower-case letters, digits, and - . _, such as @acme/room-temperature';
  }
  if (!WORDS.test(words)) {
    return 'it takes lower-case letters and digits, a letter first, with - . or _ between words, such as room-temperature';
  }
  if (packageName.length > MOST_CHARACTERS) {
    return `${packageName.length} characters, with ${PREFIX}, are more than npm allows, ${MOST_CHARACTERS}`;
  }
  if (RESERVED.has(camelCase)) return `it is a word of TypeScript: add one, such as ${words}-detector`;
  return undefined;
}
