import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('has one place that warns through the process: the diagnostics of core', () => {
  const args = ['grep', '-l', 'emitWarning(', '--', 'packages/*/src/*', 'plugins/*/src/*'];
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const files = execFileSync('git', args, { cwd, encoding: 'utf8' }).trim().split('\n');
  expect(files).toEqual(['packages/core/src/diagnostics.ts']);
});
