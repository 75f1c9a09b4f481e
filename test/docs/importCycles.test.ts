import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rmk-cycle-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What the project's linter reports about two files that lie in one folder. */
function lint(a: string, b: string): string {
  writeFileSync(join(folder, 'a.ts'), a);
  writeFileSync(join(folder, 'b.ts'), b);
  const args = ['--config', join(root, '.oxlintrc.json'), folder];
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/oxlint'), args, { encoding: 'utf8' });
  return stdout;
}

it('lints two files that import each other as an error', () => {
  const output = lint(
    `import { b } from './b.js';\nexport const a = (): number => b();\n`,
    `import { a } from './a.js';\nexport const b = (): number => a();\n`,
  );
  expect(output).toContain('import(no-cycle)');
});

it('lints two files that import only types from each other as an error', () => {
  const output = lint(
    `import type { B } from './b.js';\nexport type A = B | undefined;\n`,
    `import type { A } from './a.js';\nexport type B = readonly A[];\n`,
  );
  expect(output).toContain('import(no-cycle)');
});

it('accepts an import in one direction', () => {
  const output = lint(
    `import type { B } from './b.js';\nexport type A = B | undefined;\n`,
    `export type B = readonly string[];\n`,
  );
  expect(output).toContain('Found 0 warnings and 0 errors');
});
