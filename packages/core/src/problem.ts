import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { RmkErrorCode } from './errors.js';

/** One thing that is wrong, and where. */
export interface Problem {
  /** As {@link pathText} prints it: `options.interval`, `guests[1].memory`. Empty if no single place is to blame. */
  readonly path: string;
  /** What is wrong and how to fix it, without the path. */
  readonly message: string;
  /** The plugin that it is about, if that is not the one that the error names. */
  readonly plugin?: string;
  /** If it is not that of the error. */
  readonly code?: RmkErrorCode;
}

/** Where something is in an object: `['guests', 1, 'memory']`. */
export type Path = readonly (PropertyKey | { readonly key: PropertyKey })[];

const PLAIN_KEY = /^[\w$-]+$/;

/** `guests[1].memory`, `onFailure["@rmk/cowp"]`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (!PLAIN_KEY.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** The issues of any Standard Schema as problems. `base`: where the value itself is. */
export function problemsOf(issues: readonly StandardSchemaV1.Issue[], base: Path = []): readonly Problem[] {
  return issues.map(({ path = [], message }) => ({ path: pathText([...base, ...path]), message }));
}

/** A problem as a line of text. */
export function problemText({ code, plugin, path, message }: Problem): string {
  return [code, path === '' ? undefined : plugin, path, message]
    .filter((part) => part !== undefined && part !== '')
    .join(': ');
}
