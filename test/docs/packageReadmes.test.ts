import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const packages = ['packages', 'plugins'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(root, path, 'package.json'))),
);

type Direction = 'publishes' | 'consumes';

/** The text below each heading; that above the first one of the second level is `''`. Code is not looked into. */
function sectionsOf(readme: string): ReadonlyMap<string, string> {
  const withoutCode = readme.replaceAll(/^```.*?^```$/gms, '```');
  const [introduction = '', ...sections] = withoutCode.split(/^##+ /m);
  return new Map([
    ['', introduction],
    ...sections.map((section): [string, string] => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end + 1)];
    }),
  ]);
}

function sectionOf(readme: string, heading: RegExp): string {
  const found = [...sectionsOf(readme)].find(([name]) => heading.test(name));
  return found?.[1] ?? '';
}

/**
 * The events that a section names: in the first column of a table with the heading `publishes` or `consumes`, or in a
 * sentence that begins with `It publishes` or `It consumes`. Undefined where it says nothing, `none` included.
 */
function eventsIn(section: string, direction: Direction): readonly string[] | undefined {
  const blocks = section.split(/\n{2,}/);
  const cells = blocks
    .filter((block) => new RegExp(`^\\| ${direction} +\\|`).test(block.trim()))
    .flatMap((table) => table.split('\n').slice(2))
    .map((row) => row.split('|')[1] ?? '');
  const sentences = [
    ...section.matchAll(/\bIt ((?:publishes|consumes)(?: and consumes)?) ((?:(?!\n\n)[^.])*)/g),
  ]
    .filter(([, verbs = '']) => verbs.includes(direction))
    .map(([, , rest = '']) => rest);
  const said = [...cells, ...sentences];
  if (said.length === 0) return undefined;
  return namesIn(said.join('\n'), /`(EVT_[A-Z]+)`/g);
}

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].toSorted();
}

/** What the sources of a package do with the bus. */
function eventsUsedBy(path: string): Readonly<Record<Direction, readonly string[]>> {
  const sources = readdirSync(join(root, path, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, path, 'src', file), 'utf8'))
    .join('\n')
    .replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  return {
    publishes: namesIn(sources, /\.(?:topic|publishUnnumbered)\(\s*'(EVT_[A-Z]+)'/g),
    consumes: namesIn(sources, /\.on\(\s*'(EVT_[A-Z]+)'/g),
  };
}

const readmeOf = (path: string): string => readFileSync(join(root, path, 'README.md'), 'utf8');

describe.each(packages)('the README of %s', (path) => {
  const { name } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as {
    readonly name: string;
  };

  it('bears the name of the package, and says first what it is for', () => {
    const [heading, purpose = ''] = (sectionsOf(readmeOf(path)).get('') ?? '').split('\n\n');
    expect(heading).toBe(`# ${name}`);
    expect(purpose).toMatch(/^[^|#].{40,}\./s);
  });

  it('has an example', () => {
    expect(readmeOf(path)).toMatch(/^```(?:ts|sh|js|json|)\n.+?^```$/ms);
  });

  it('says which options there are, or that there are none', () => {
    const options = sectionOf(readmeOf(path), /^Options/);
    expect(options).toMatch(/^\| (?:option|key|argument) +\||\bnone\b/im);
  });

  it('says which events it publishes and consumes, or that there are none', () => {
    const events = sectionOf(readmeOf(path), /^Events/);
    expect(eventsIn(events, 'publishes'), 'It publishes …').toBeDefined();
    expect(eventsIn(events, 'consumes'), 'It consumes …').toBeDefined();
  });
});

const onTheBus = packages.filter(
  (path) => path.startsWith('plugins') || path === join('packages', 'checkpoint'),
);

describe.each(onTheBus)('the events in the README of %s', (path) => {
  it('are those of its sources', () => {
    const events = sectionOf(readmeOf(path), /^Events/);
    expect({ publishes: eventsIn(events, 'publishes'), consumes: eventsIn(events, 'consumes') }).toEqual(
      eventsUsedBy(path),
    );
  });
});

describe('the events of a README', () => {
  const section =
    '| consumes | for |\n| --- | --- |\n| `EVT_A`, `EVT_B` | `EVT_X` |\n\nIt publishes `EVT_C` and `EVT_D`. See `EVT_Y`.';

  it('are read from tables and from sentences, and only what these are about', () => {
    expect(eventsIn(section, 'consumes')).toEqual(['EVT_A', 'EVT_B']);
    expect(eventsIn(section, 'publishes')).toEqual(['EVT_C', 'EVT_D']);
  });

  it('may be none, which is not the same as nothing said', () => {
    expect(eventsIn('It publishes and consumes none.', 'consumes')).toEqual([]);
    expect(eventsIn('It publishes `EVT_C`.', 'consumes')).toBeUndefined();
  });
});
