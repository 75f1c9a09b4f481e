import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSlowdown } from '@rmk/model';
import { describe, expect, it } from 'vitest';
import { cheapest, foresight, PLANNERS } from '../../src/bench/embedded/algorithms.js';
import { overlapOf } from '../../src/bench/embedded/epochFigures.js';
import { meanOfMedians, spreadOf } from '../../src/bench/embedded/figures.js';
import { runProgram } from '../../src/bench/embedded/programRun.js';
import { machineOptions, type Protection } from '../../src/bench/embedded/testedGuest.js';
import { hostClock } from '../../src/bench/embedded/threadTime.js';
import { ExitCode } from '../../src/index.js';
import { folderWith, rmk } from '../rmk.js';

const SHORT = ['--engine', 'interpreter', '--programs', 'events', '--intervals', '5,10'];
const EXTENT = ['--quick', '--pairs', '1', '--stretch', '30'];

interface Printed {
  readonly slowdown: readonly ({ readonly intervalMs: number } & Readonly<Record<string, number>>)[];
  readonly slowdownPercent: Readonly<Record<string, { readonly cowb: number; readonly cowp: number }>>;
  readonly faultReductionPercent: Readonly<Record<string, number>>;
  readonly peers: Readonly<Record<string, { readonly slowdownPercent: number }>>;
}

describe('rmk bench embedded', () => {
  it(
    'prints what rmk model advise reads, and writes a report with every table',
    { timeout: 60_000 },
    async () => {
      const report = join(folderWith({}), 'report.html');
      const { code, out } = await rmk([
        'bench',
        'embedded',
        ...SHORT,
        ...EXTENT,
        '--json',
        '--report',
        report,
      ]);
      expect(code).toBe(ExitCode.DONE);
      const printed = JSON.parse(out) as Printed;
      // So short a run may find a guest faster with checkpoints than without, which is refused there.
      const slowdown = printed.slowdown.map(({ intervalMs, ...shares }) => ({
        intervalMs,
        ...Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, Math.max(0, share)])),
      }));
      expect(parseSlowdown({ slowdown }, 'the result').map(({ intervalMs }) => intervalMs)).toEqual([5]);
      expect(Object.keys(printed.slowdownPercent)).toEqual(['5']);
      expect(Object.keys(printed.faultReductionPercent)).toEqual(['5', '10']);
      // Its customers are all over their table: each epoch writes what the last one wrote.
      expect(printed.faultReductionPercent['10']).toBeGreaterThan(75);
      expect(Object.keys(printed.peers)).toEqual(['full copy', 'stop and copy']);
      const page = readFileSync(report, 'utf8');
      for (const heading of [
        'Figure 8',
        'Figure 9',
        'Tables 3 and 4',
        'Recovery time',
        'Peers',
        'Algorithms',
      ]) {
        expect(page).toContain(`<h2>${heading}`);
      }
      expect(page).toContain('<svg');
      expect(page).not.toMatch(/NaN|undefined|Infinity/);
    },
  );

  it.each([
    [['--programs', 'gcc'], 'unknown workload "gcc". Choose among packer, bytecode'],
    [['--intervals', '50,0'], 'expected a whole number of 1 or more'],
    [['--intervals', '50,50'], 'an interval is given twice'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await rmk(['bench', 'embedded', ...args]);
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toContain(message);
  });
});

describe('the figures of the benchmark', () => {
  it('are medians and quartiles, between two numbers where there is no middle one', () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ low: 1.75, median: 2.5, high: 3.25 });
    expect(spreadOf([7])).toEqual({ low: 7, median: 7, high: 7 });
  });

  it('bound the mean of medians by how the pairs of each program vary, not by how programs differ', () => {
    expect(
      meanOfMedians([
        [1, 1, 1],
        [3, 3, 3],
      ]),
    ).toEqual({ mean: 2, low: 2, high: 2 });
    const { mean, low, high } = meanOfMedians([[0.9, 1, 1.1, 1, 0.95, 1.05], [1]]);
    expect(mean).toBe(1);
    expect(low).toBeLessThan(1);
    expect(high).toBeGreaterThan(1);
    expect(high - low).toBeLessThan(0.2);
    expect(meanOfMedians([])).toEqual({ mean: 0, low: 0, high: 0 });
  });
});

describe('the counts of the benchmark', () => {
  const protections = (['cowb', 'cowp'] as const).map((algorithm): Protection => ({
    name: algorithm,
    algorithm,
    intervalMs: 5,
  }));
  const extent = { warmUpMs: 15, countMs: 30, countedEpochs: 0, pairs: 0, timedMs: [] };
  const run = () =>
    runProgram(machineOptions('frontend', 'interpreter'), 'interpreter', protections, extent, hostClock());

  it('are the same in every run, and what an algorithm would have done is what it does', async () => {
    const [once, again] = [await run(), await run()];
    const counts = once.protections.map(({ epochs }) => epochs);
    expect(again.protections.map(({ epochs }) => epochs)).toEqual(counts);
    const written = once.written.get(5) ?? [];
    expect(written).toHaveLength(6);
    for (const [index, name] of ['cowb', 'cowp'].entries()) {
      const planner = PLANNERS[name];
      if (planner === undefined) throw new Error(`no planner ${name}`);
      const { pageFaults, preSavedInVain } = foresight(name, planner, written, 5);
      expect(counts[index]).toMatchObject({ epochs: 5, pageFaults, preSavedInVain });
    }
  });

  it('choose the algorithm of which twice the faults and the pages in vain are least', () => {
    const of = (algorithm: string, pageFaults: number, preSavedInVain: number) => ({
      algorithm,
      pageFaults,
      preSavedInVain,
      faultsSaved: 0,
    });
    const all = [of('cowb', 10, 0), of('cowp', 4, 11), of('cowp-union', 3, 13), of('cowp-decay', 3, 13)];
    expect(cheapest(all).algorithm).toBe('cowp');
    expect(cheapest([...all.slice(0, 1), of('cowp', 5, 11)]).algorithm).toBe('cowb');
    expect(cheapest(all.slice(2)).algorithm).toBe('cowp-union');
  });

  it('say how alike epochs are', () => {
    const epoch = (...frames: readonly number[]) => ({
      openedAtNs: 0,
      closedAtNs: 1,
      updated: Uint32Array.from(frames),
      pageFaults: frames.length,
      pagesSaved: frames.length,
      pagesPreSaved: 0,
      preSavedInVain: 0,
      pauseHostNs: 0,
    });
    expect(overlapOf([epoch(1, 2), epoch(2, 3), epoch(2, 3)])).toBe(0.75);
    expect(
      foresight('cowp', () => ({ preSave: 'updated' }), [epoch(1), epoch(1, 2), epoch(2, 3)], 50),
    ).toEqual({
      algorithm: 'cowp',
      pageFaults: 1,
      preSavedInVain: 0.5,
      faultsSaved: 1,
    });
  });
});
