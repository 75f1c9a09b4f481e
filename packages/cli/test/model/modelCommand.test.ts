import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { file, folder, json, run } from './commandFixtures.js';

describe('rmk model corruption', () => {
  it('--table1 --json gives the rows of the paper', async () => {
    const { rows } = await json('corruption', '--table1');
    expect(rows).toHaveLength(5);
    expect((rows as unknown[])[2]).toMatchObject({
      percentile: 0.95,
      intervalMs: 50,
      single: 0.317,
      dual: 0.0159,
      exactIntervalMs: expect.closeTo(50.012, 3),
      paper: { single: 0.317, dual: 0.0159 },
    });
    expect((await run('corruption', '--table1')).stdout).toContain('39.1 %');
  });

  it('gives the probability, its inverse and a simulation that holds it', async () => {
    const report = await json(
      'corruption',
      '--interval',
      '50',
      '--retained',
      '2',
      '--target',
      '0.001',
      '--simulate',
      '200000',
    );
    expect(report['probability']).toBeCloseTo(0.01586, 5);
    expect(report['target']).toMatchObject({
      probability: 0.001,
      intervalMs: expect.closeTo(87.544, 3),
      retained: 3,
    });
    const { low, high } = report['simulation'] as { low: number; high: number };
    expect(low).toBeLessThan(0.01586);
    expect(high).toBeGreaterThan(0.01586);
  });

  it('says how to judge a simulation that does not contain the value of the model', async () => {
    const lines = await Promise.all(
      Array.from({ length: 40 }, async (_, seed) => {
        const { stdout } = await run('corruption', '--simulate', '1000', '--seed', String(seed));
        return stdout;
      }),
    );
    const outside = lines.filter((line) => line.includes('outside, as 1 in 20 does: see whether'));
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.length).toBeLessThan(8);
  });

  it('analyses a sample file', async () => {
    const path = await file('l.txt', '# ms, injection to detection\n3\n5\n9\n14\n22\n40\n75\n120\ninf\n');
    const report = await json('corruption', '--samples', path);
    expect(report['samples']).toMatchObject({
      count: 9,
      detected: 8,
      ratePerMs: { value: expect.closeTo(8 / 288, 12) },
    });
    const { fits, measured } = report['samples'] as {
      fits: { goodnessOfFit: { pValue: number } }[];
      measured: { low: number; high: number };
    };
    expect(fits).toHaveLength(3);
    expect(fits.every(({ goodnessOfFit }) => goodnessOfFit.pValue > 0 && goodnessOfFit.pValue <= 1)).toBe(
      true,
    );
    // 75 ms is half a clip, 120 and inf whole ones.
    expect(report['probability']).toBeCloseTo(2.5 / 9, 12);
    expect(measured.low).toBeLessThan(2.5 / 9);
    const { stdout } = await run('corruption', '--samples', path);
    expect(stdout).toMatch(/samples +9: 8 detected, 0 cut off, 1 never detected/);
    expect(stdout).toMatch(/weibull +shape/);
  });

  it('warns where a sample file does not say what it holds, and goes on', async () => {
    const { stderr, code } = await run('corruption', '--samples', await file('l.txt', '1\n2\n'));
    expect(stderr).toMatch(/^warning: .*injection to detection/);
    expect(code).toBe(0);
  });
});

describe('rmk model availability', () => {
  it('adds the variant that a sweep is about', async () => {
    const { sweeps } = await json('availability', '--sweep', 'retained=1:3:3');
    const { series } = (sweeps as { series: { variant: string; availability: number[] }[] }[])[0] ?? {
      series: [],
    };
    const by = (variant: string) => series.find((each) => each.variant === variant)?.availability;
    expect(by('k')?.slice(0, 2)).toEqual([by('single')?.[0], by('dual')?.[0]]);
  });

  it('reads a file that begins with a byte order mark', async () => {
    const params = await file('p.json', '\uFEFF{ "intervalMs": 70 }');
    expect((await json('availability', '--params', params))['parameters']).toMatchObject({ intervalMs: 70 });
  });

  it('gives the figures of the reconstruction, checked against LU', async () => {
    const { results, notes } = await json('availability');
    const by = new Map(
      (results as { variant: string; availability: number; luDifference: number }[]).map((each) => [
        each.variant,
        each,
      ]),
    );
    expect([...by.keys()]).toEqual(['none', 'single', 'dual', 'replica', 'disk']);
    expect((100 * (by.get('dual')?.availability ?? 0)).toFixed(4)).toBe('99.9801');
    expect((100 * (by.get('single')?.availability ?? 0)).toFixed(3)).toBe('99.677');
    expect([...by.values()].every(({ luDifference }) => luDifference < 1e-14)).toBe(true);
    expect((notes as string[])[0]).toMatch(/calibrates them, it validates nothing/);
  });

  it('reads parameters, sweeps, times and samples', async () => {
    const params = await file('p.json', '{ "base": "nguyen2014", "retained": 3, "vms": 2 }');
    const samples = await file('l.txt', '# injection to detection\n3\n60\n140\n');
    const report = await json(
      'availability',
      '--params',
      params,
      '--param',
      'intervalMs=40',
      '--samples',
      samples,
      '--sweep',
      'vmMttfHours=10:20:3',
      '--at',
      '0,5',
      '--simulate',
      '500',
    );
    expect(report['parameters']).toMatchObject({ vmMttfHours: 2893, retained: 3, intervalMs: 40 });
    const dual = (report['results'] as Record<string, unknown>[]).find(({ variant }) => variant === 'dual');
    expect(dual).toMatchObject({
      corruption: { value: expect.closeTo((0 + 0.5 + 1) / 3, 12) },
      transient: [{ hours: 0, availability: 1 }, { hours: 5 }],
    });
    expect(Object.keys(dual ?? {})).toEqual(
      expect.arrayContaining(['availabilityInterval', 'simulated', 'sensitivities', 'probabilities']),
    );
    expect(report['sweeps']).toMatchObject([{ parameter: 'vmMttfHours', values: [10, 15, 20] }]);
    expect((report['results'] as { variant: string }[]).map(({ variant }) => variant)).toEqual([
      'none',
      'single',
      'dual',
      'rule',
      'k',
      'replica',
      'disk',
      'vms',
    ]);
    const { stdout } = await run('availability', '--params', params, '--sweep', 'vmMttfHours=10:20:3');
    expect(stdout).toMatch(/vmMttfHours +none/);
    expect(stdout).toMatch(/checkpoints on the same node do not pay/);
  });

  it('writes a report that needs nothing from anywhere', async () => {
    const path = join(await folder(), 'out', 'report.html');
    const { code, stderr } = await run(
      'availability',
      '--report',
      path,
      '--sweep',
      'rollbackSeconds=0.5:2:5',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: `wrote ${path}\n` });
    const html = await readFile(path, 'utf8');
    // Three figures of §5.1, the sweep, the tornado.
    expect(html.match(/<svg /g)).toHaveLength(5);
    expect(html.match(/<path d="M[^"]{300,}"/g)?.length).toBeGreaterThanOrEqual(9);
    expect(/https?:\/\/(?!www\.w3\.org)|<script|<link|@import|url\(/.exec(html)).toBeNull();
    for (const words of ['99.9801 %', 'validates nothing', '(1,F)']) expect(html.includes(words)).toBe(true);
  });
});

describe('rmk model advise', () => {
  it('advises from measured numbers, and says what is missing', async () => {
    const bench = await file(
      'b.json',
      '{ "slowdown": [{ "intervalMs": 50, "slowdown": 0.063 }, { "intervalMs": 200, "slowdown": 0.038 }] }',
    );
    const report = await json('advise', '--slowdown', bench);
    expect(report['recommendation']).toMatchObject({ intervalMs: 200, retained: 2, slowdown: 0.038 });
    expect((report['missing'] as { input: string }[]).map(({ input }) => input)).toEqual([
      'uncertainty of the slowdown',
      'latencies',
      'rollback time',
    ]);
    const { stdout } = await run('advise', '--slowdown', '50=0.063,200=0.038', '--weight', '0');
    expect(stdout).toMatch(/availability {3}99\.99/);
    expect(stdout).toMatch(/latencies: inject errors/);
  });

  it('writes its curve', async () => {
    const path = join(await folder(), 'advice.html');
    expect((await run('advise', '--slowdown', '50=0.063:0.05:0.08,200=0.038', '--report', path)).code).toBe(
      0,
    );
    expect((await readFile(path, 'utf8')).match(/<svg /g)).toHaveLength(3);
  });

  it('without a slowdown says how to measure it', async () => {
    const { stderr, code, stdout } = await run('advise', '--json');
    expect(code).toBe(2);
    expect(stderr).toMatch(/RMK_ERR_INPUT.*\n {2}- slowdown: time the programs/);
    expect((JSON.parse(stdout) as { missing: unknown[] }).missing).toHaveLength(3);
  });
});
