import { expect, it } from 'vitest';
import { ExitCode } from '../../src/index.js';
import { rmk } from '../rmk.js';

interface Printed {
  readonly rows: readonly {
    readonly vms: number;
    readonly workers: number;
    readonly msOfVm: { readonly median: number };
    readonly checkpointsOfVm: number;
  }[];
}

it(
  'rmk bench vms measures VMs in this thread and in workers, each with its checkpoints',
  { timeout: 30_000 },
  async () => {
    const { code, out } = await rmk(
      'bench vms --counts 1,2 --workers 0,2 --rounds 1 --warm-up-ms 50 --measured-ms 50 --json'.split(' '),
    );
    expect(code).toBe(ExitCode.DONE);
    const { rows } = JSON.parse(out) as Printed;
    // One VM is not spread over two threads; it is measured twice as long.
    expect(rows.map(({ vms, workers, checkpointsOfVm }) => [vms, workers, checkpointsOfVm])).toEqual([
      [1, 0, 2],
      [2, 0, 1],
      [2, 2, 1],
    ]);
    for (const { msOfVm } of rows) expect(msOfVm.median).toBeGreaterThan(0);
  },
);

it.each(['--counts 0', '--counts 1,x', '--rounds 0', '--measured-ms 0'])('refuses %s', async (option) => {
  const { code, err } = await rmk(`bench vms ${option}`.split(' '));
  expect(code).toBe(ExitCode.USAGE);
  expect(err).toMatch(/expected (1 or more|whole numbers)/);
});
