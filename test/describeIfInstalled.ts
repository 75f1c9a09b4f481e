import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';

/** The first line that a command prints for `--version`. Undefined where it is not installed. */
export function versionOf(command: string): string | undefined {
  const { error, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return error === undefined ? stdout.split('\n')[0] : undefined;
}

/**
 * Tests that need something which may be missing: `missing` says what, and how to get it. They are skipped then, and
 * say so; where `CI` is `true` they fail instead, since there nobody reads what was skipped.
 */
export function describeIfInstalled(title: string, missing: string | undefined, tests: () => void): void {
  if (missing === undefined) {
    describe(title, tests);
    return;
  }
  if (process.env['CI'] === 'true') {
    it(`${title}: finds what it needs`, () => {
      throw new Error(missing);
    });
    return;
  }
  process.stderr.write(`${title}: skipped, ${missing}\n`);
  describe.skip(`${title} (skipped: ${missing})`, tests);
}
