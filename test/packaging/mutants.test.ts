import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { mutantsOf, withSwitches } from '../../scripts/mutation/mutants.mjs';

const changes = (source: string): readonly string[] =>
  mutantsOf('sample.ts', source).mutants.map(({ original, mutant }) => `${original} → ${mutant}`);

/** What `source` leaves in `result` while mutant `current` takes effect, and which mutants it reached. */
function run(
  source: string,
  current: number,
): { readonly result: unknown; readonly reached: ReadonlySet<number> } {
  const { mutants, loops } = mutantsOf('sample.ts', source);
  const reached = new Set<number>();
  const rmkMutants = {
    is: (id: number) => {
      reached.add(id);
      return id === current;
    },
    tick: () => {},
  };
  const numbered = mutants.map((mutant, id) => ({ ...mutant, id }));
  const result: unknown = runInNewContext(`${withSwitches(source, numbered, loops)}; result`, {
    globalThis: { rmkMutants },
    Math,
  });
  return { result, reached };
}

describe('the mutants of a source file', () => {
  it('change one operator, bound, guard, reset or order', () => {
    expect(changes('const isOver = age >= most;')).toEqual([
      'age >= most → age > most',
      'age >= most → age < most',
    ]);
    expect(changes('const bound = 7;')).toEqual(['7 → 8']);
    expect(changes('if (late) stop();')).toEqual(['late → (true)', 'late → (false)', 'stop(); → ;']);
    expect(changes('first();\nsecond();')).toEqual([
      'first(); second();'.replace(' ', '\n') + ' → second();\nfirst();',
      'first(); → ;',
      'second(); → ;',
    ]);
    expect(changes('const known = name ?? other;')).toEqual(['name ?? other → (name)']);
  });

  it('leave wording, types and imports alone', () => {
    expect(changes("import { a } from 'a';")).toEqual([]);
    expect(changes('type Pair = [1, 2];')).toEqual([]);
    expect(changes('const text = `${a + 1} of ${b}`;')).toEqual([]);
    expect(changes("throw new RangeError('more than ' + 1);")).toEqual([]);
    expect(changes("const text = 'at ' + name;")).toEqual([]);
  });

  it('replace a chain as a whole, since the rest of it depends on its beginning', () => {
    expect(changes('const kept = list?.queue.shift().name;')).toEqual([
      'list?.queue.shift().name → list?.queue.pop().name',
    ]);
  });

  it('have keys that do not change when code moves, and differ within a declaration', () => {
    const source = 'function half(a) { return a / 2 + a / 2; }';
    const keysOf = (text: string): readonly string[] =>
      mutantsOf('sample.ts', text).mutants.map(({ key }) => key);
    expect(keysOf(`\n\nconst other = 'b';\n${source}`)).toEqual(keysOf(source));
    expect(keysOf(source)).toEqual([
      'sample.ts · half · a / 2 + a / 2 → a / 2 - a / 2',
      'sample.ts · half · a / 2 → a * 2',
      'sample.ts · half · 2 → 3',
      'sample.ts · half · a / 2 → a * 2 · 2',
      'sample.ts · half · 2 → 3 · 2',
    ]);
  });
});

describe('a source with all of its mutants behind switches', () => {
  const source = `
    const result = [];
    const list = [3, 1, 2];
    for (const each of list) {
      if (each > 1 && each < 3) result.push(each * 2);
      else result.push(-each);
    }
    let count = 0;
    while (count < 2) { count += 1; }
    result.push(Math.max(...list), count);
    const twice = (value) => (value === 0 ? { zero: true } : value + value);
    result.push(twice(0), twice(4));
  `;

  it('does what it did while none takes effect', () => {
    expect(run(source, -1).result).toEqual([-3, -1, 4, 3, 2, { zero: true }, 8]);
  });

  it('does with each what the source with that text in its place does', () => {
    const { mutants } = mutantsOf('sample.ts', source);
    expect(mutants.length).toBeGreaterThan(30);
    const endless = new Set(['count += 1; → ;', 'count += 1 → count -= 1']);
    for (const [id, { start, end, original, mutant }] of mutants.entries()) {
      if (endless.has(`${original} → ${mutant}`)) continue;
      const replaced = source.slice(0, start) + mutant + source.slice(end);
      expect(run(source, id).result, `${original} → ${mutant}`).toEqual(
        runInNewContext(`${replaced}; result`, { Math }),
      );
    }
  });

  it('reports which mutants it reached', () => {
    const guarded = 'const result = []; if (result.length > 0) result.push(1);';
    const { mutants } = mutantsOf('sample.ts', guarded);
    const reached = [...run(guarded, -1).reached].map((id) => mutants[id]?.mutant);
    expect(reached).toEqual(['(true)', '(false)', 'result.length >= 0', 'result.length <= 0', '1']);
  });
});
