import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// `npm run test:long` allows its longer tests more time.
const LONG = process.env['RMK_LONG'] === '1';
// Of a unit test. `.ci/run` sets more: its machines differ by a factor of two, and there every core is busy.
const UNIT_LIMIT_MS = Number(process.env['RMK_UNIT_LIMIT_MS'] ?? 10_000);

// Tests run from the sources of all packages (the `@rmk/source` export condition), not from what was built.
export default defineConfig({
  ssr: { resolve: { conditions: ['@rmk/source', 'node', 'import', 'module', 'default'] } },
  oxc: { decorator: { legacy: true } },
  test: {
    setupFiles: ['test/propertySeed.ts'],
    // Vitest leaves one core to itself, which is half of a small machine.
    maxWorkers: availableParallelism(),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts', 'plugins/*/test/**/*.test.ts'],
          exclude: ['packages/hypervisor-qemu/**'],
          // Loading RMK again for each of the 250 files would take half of the time. What a file changes for the whole
          // process, it puts back.
          isolate: false,
          testTimeout: LONG ? 600_000 : UNIT_LIMIT_MS,
        },
      },
      ...['pipelines', 'docs', 'oracle'].map((room) => ({
        extends: true as const,
        test: { name: room, include: [`test/${room}/**/*.test.ts`] },
      })),
      {
        extends: true,
        // One test here is the whole suite of a generated plugin, in a vitest of its own.
        test: { name: 'packaging', include: ['test/packaging/**/*.test.ts'], testTimeout: 300_000 },
      },
      {
        extends: true,
        test: {
          name: 'qemu',
          include: ['packages/hypervisor-qemu/test/**/*.test.ts', 'test/qemu/**/*.test.ts'],
          // A VM in real time does not stand the company of other busy tests: last, and one after the other.
          maxWorkers: 1,
          // Real time on a shared host: what a test waits for can come too late. A fault comes again, a late host does
          // not.
          retry: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
