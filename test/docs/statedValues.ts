/** Runs code of a README and describes the values of it that differ from those that the comments behind them state. */
export async function differingValues(block: string, packageName: string): Promise<string> {
  return (await valuesOf(block, packageName))
    .filter(({ value, digits, stated }) => value.toFixed(digits) !== stated)
    .map(({ value, stated }) => `${stated} is ${value}\n`)
    .join('');
}

interface StatedValue {
  readonly value: number;
  /** The number in the comment, with this many digits after the point. */
  readonly stated: string;
  readonly digits: number;
}

/** Throws if no comment states a number: then the block is checked by nothing. */
async function valuesOf(block: string, packageName: string): Promise<readonly StatedValue[]> {
  const library: unknown = await import(/* @vite-ignore */ packageName);
  const seen: StatedValue[] = [];
  const see = (value: unknown, comment: string): void => {
    const [stated, decimals = ''] = /^-?\d+(?:\.(\d+))?/.exec(comment) ?? [];
    if (stated !== undefined && typeof value === 'number') {
      seen.push({ value, stated, digits: decimals.length });
    }
  };
  const body = block
    .replaceAll(/^import (\{[^}]*\}) from '[^']+';$/gm, 'const $1 = library;')
    .replaceAll(/^([^\n/]+); \/\/ ([^\n]+)$/gm, (_line, code: string, comment: string) => {
      const value = /^const (\w+) =/.exec(code)?.[1];
      return value === undefined
        ? `see(${code}, ${JSON.stringify(comment)});`
        : `${code}; see(${value}, ${JSON.stringify(comment)});`;
    });
  // oxlint-disable-next-line no-implied-eval, no-new-func -- The block is the project's own text.
  const run = new Function('library', 'see', body) as (from: unknown, seeing: typeof see) => void;
  run(library, see);
  if (seen.length === 0) throw new Error(`no comment states a value in\n${block}`);
  return seen;
}
