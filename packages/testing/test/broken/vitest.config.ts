import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Runs what is meant to fail, for `brokenFixtures.test.ts` alone. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  ssr: { resolve: { conditions: ['@rmk/source', 'node', 'import', 'module', 'default'] } },
  oxc: { decorator: { legacy: true } },
  test: { include: ['*.fixture.ts'], testTimeout: 60_000, maxWorkers: 2 },
});
