import { describe, expect, it } from 'vitest';
import { latencyOf, parseParameterFile, withNumber } from '../src/availability/parameters.js';
import { PARAMETER_SETS, parameterSet, resolveParameters } from '../src/availability/parameterSets.js';
import { recoveryTime } from '../src/availability/recovery.js';
import { availabilityOf, valuesOf } from '../src/availability/study.js';
import { parseSweep, runSweep } from '../src/availability/sweep.js';
import { tornado } from '../src/availability/tornado.js';
import { exponentialLatency, type LatencyDistribution } from '../src/corruption/latencyDistribution.js';

const reconstruction = parameterSet('reconstruction');

/** Errors of one latency whose target is the oldest of `retained` checkpoints 50 ms apart. */
const oldestOf = (latency: LatencyDistribution, retained: number) => [
  { share: 1, latency, boundMs: (retained - 1) * 50 },
];

describe('a parameter file', () => {
  it('lies on top of its base set', () => {
    const parameters = resolveParameters(
      parseParameterFile({ base: 'nguyen2014', intervalMs: 100 }, 'p.json'),
    );
    expect(parameters.intervalMs).toBe(100);
    expect(parameters.vmMttfHours).toBe(2893);
    expect(parameters.title).toMatch(/^own parameters on top of: Nguyen/);
    expect(resolveParameters({}).title).toBe(reconstruction.title);
  });

  it("takes a rollback time of one's own as that of the rollback alone", () => {
    expect(resolveParameters({ rollbackSeconds: 0.01 }).rollbackScope).toBe('rollback');
    expect(
      resolveParameters({ rollbackSeconds: 0.7, rollbackScope: 'recovery-at-50ms-dual' }).rollbackScope,
    ).toBe('recovery-at-50ms-dual');
    expect(resolveParameters({ intervalMs: 20 }).rollbackScope).toBe('recovery-at-50ms-dual');
  });

  it('is refused with all that is wrong in it, and the nearest known names', () => {
    const bad = {
      vmMtfHours: 3,
      intervalMs: -5,
      retained: 1.5,
      latencyPercentile: 1,
      vmRestartSeconds: Number.NaN,
    };
    const parse = () => parseParameterFile(bad, 'p.json');
    expect(parse).toThrow(/RMK_ERR_INPUT: p\.json/);
    expect(parse).toThrow('vmMtfHours: unknown; did you mean "vmMttfHours"?');
    for (const name of ['intervalMs', 'retained', 'latencyPercentile', 'vmRestartSeconds']) {
      expect(parse).toThrow(new RegExp(`\n  - ${name}: `));
    }
    expect(() => parseParameterFile([], 'p.json')).toThrow(/RMK_ERR_INPUT/);
    expect(() => resolveParameters({ base: 'reconstructio' })).toThrow('did you mean "reconstruction"?');
    expect(() => parameterSet('toString')).toThrow(/no parameter set/);
  });

  it('may describe failure classes', () => {
    const { classes } = parseParameterFile(
      {
        classes: [
          { name: 'crash', share: 0.8, latency: { kind: 'percentile', percentile: 0.95, boundMs: 50 } },
          { name: 'hang', share: 0.15, latency: { kind: 'fixed', latencyMs: 200 } },
          { name: 'silent', share: 0.05, latency: { kind: 'never' } },
        ],
      },
      'p.json',
    );
    const parameters = { ...reconstruction, ...(classes === undefined ? {} : { classes }) };
    const crash = exponentialLatency(-Math.log(0.05) / 50).corruption(50, 2);
    expect(valuesOf('dual', { parameters })['pc']).toBeCloseTo(0.8 * crash + 0.15 + 0.05, 12);
    const six = valuesOf('k', { parameters: { ...parameters, retained: 6 } })['pc'] ?? 1;
    expect(six).toBeCloseTo(0.05, 4);
    expect(() =>
      parseParameterFile({ classes: [{ name: 'x', share: 2, latency: { kind: 'fixd' } }] }, 'p.json'),
    ).toThrow(/classes\.0\.share/);
  });

  it('offers names that belong where the unknown one stands', () => {
    const parse = (extra: object, latency: object) =>
      parseParameterFile({ classes: [{ name: 'x', share: 1, latency, ...extra }] }, 'p.json');
    expect(() => parse({ shar: 1 }, { kind: 'never' })).toThrow(
      'classes.0.shar: unknown; did you mean "share"?',
    );
    expect(() => parse({}, { kind: 'fixed', latencyMS: 1 })).toThrow(
      'classes.0.latency.latencyMS: unknown; did you mean "latencyMs"?',
    );
  });

  it('of the reconstruction has the numbers that the documentation gives', () => {
    expect(parameterSet('reconstruction')).toMatchObject({
      intervalMs: 50,
      retained: 2,
      latencyPercentile: 0.95,
      latencyBoundMs: 50,
      vmRestartSeconds: 600,
      checkpointVmRestartSeconds: 600,
      hypervisorRestartSeconds: 300,
      failoverSeconds: 0.64,
      replicaRestartSeconds: 600,
      diskIntervalSeconds: 300,
      diskWriteSeconds: 30,
      diskLoadSeconds: 30,
      vms: 1,
    });
  });

  it('of every named set is itself valid', () => {
    for (const set of Object.values(PARAMETER_SETS)) expect(parseParameterFile(set, 'set')).toEqual(set);
  });
});

describe("the recovery time 1/r'p", () => {
  it('is rollback plus the mean age of a clean target, which is older than one of any kind: (k - 1/2) T', () => {
    const parameters = { ...reconstruction, rollbackScope: 'rollback' as const };
    const latency = latencyOf(parameters);
    const single = recoveryTime(parameters, oldestOf(latency, 1));
    expect(single.ageSeconds).toBeGreaterThan(0.025);
    expect(single.ageSeconds).toBeLessThan(0.05);
    const dual = recoveryTime(parameters, oldestOf(latency, 2));
    expect(dual.ageSeconds).toBeGreaterThan(0.075);
    expect(dual.ageSeconds).toBeLessThan(0.1);
    expect(dual.totalSeconds).toBe(0.64 + dual.ageSeconds);
  });

  it('is (k - 1/2) T on average when errors are detected at once', () => {
    const parameters = { ...reconstruction, rollbackScope: 'rollback' as const };
    const instant = exponentialLatency(1e6);
    for (const k of [1, 2, 5])
      expect(recoveryTime(parameters, oldestOf(instant, k)).ageSeconds).toBeCloseTo((k - 0.5) * 0.05, 6);
  });

  it('of a rollback that includes detection and re-execution changes with the history and the interval by their difference alone', () => {
    const latency = latencyOf(reconstruction);
    const [one, two] = [1, 2].map((k) => recoveryTime(reconstruction, oldestOf(latency, k)));
    expect(two?.totalSeconds).toBeCloseTo(0.64, 12);
    expect(one?.rollbackSeconds).toBe(two?.rollbackSeconds);
    expect(recoveryTime(reconstruction, oldestOf(exponentialLatency(1), 2)).rollbackSeconds).toBe(
      two?.rollbackSeconds,
    );
  });

  it('is refused when the rollback is shorter than what its scope includes', () => {
    const parameters = { ...reconstruction, rollbackSeconds: 0.01 };
    const latency = latencyOf(parameters);
    expect(() => recoveryTime(parameters, oldestOf(latency, 2))).toThrow(/set rollbackScope to "rollback"/);
  });
});

describe('a sweep', () => {
  it('is read as name=from:to:steps', () => {
    expect(parseSweep('intervalMs=10:50:5')).toEqual({
      parameter: 'intervalMs',
      values: [10, 20, 30, 40, 50],
    });
    const { values } = parseSweep('hypervisorMttfHours=100:10000:3:log');
    expect(values[1]).toBeCloseTo(1000, 9);
  });

  it.each([
    ['intervlMs=1:2:3', /did you mean "intervalMs"/],
    ['intervalMs', /is not a sweep/],
    ['intervalMs=1:2', /is not a sweep/],
    ['intervalMs=a:2:3', /from a number to a number/],
    ['intervalMs=1:2:0.5', /whole number of at least 2/],
    ['intervalMs=0:2:3:log', /above zero/],
    ['intervalMs=1:2:99999', /10000 at most/],
  ])('%s is refused', (text, message) => {
    expect(() => parseSweep(text)).toThrow(message);
  });

  it('solves each value as if it had been given', () => {
    const setting = { parameters: reconstruction };
    const { series } = runSweep(parseSweep('intervalMs=20:80:3'), setting, ['single', 'dual']);
    expect(series.map(({ variant }) => variant)).toEqual(['single', 'dual']);
    expect(series[1]?.availability[1]).toBe(
      availabilityOf('dual', { parameters: { ...reconstruction, intervalMs: 50 } }),
    );
  });

  it('of a parameter that counts takes the nearest whole values, each once', () => {
    expect(parseSweep('retained=1:2:3').values).toEqual([1, 2]);
    expect(parseSweep('retained=2:20:5').values).toEqual([2, 7, 11, 16, 20]);
    expect(parseSweep('vms=1:100:5:log').values).toEqual([1, 3, 10, 32, 100]);
    expect(parseSweep('intervalMs=2:20:5').values).toEqual([2, 6.5, 11, 15.5, 20]);
  });

  it('is refused where a value is impossible, or does not matter', () => {
    expect(() => runSweep(parseSweep('intervalMs=-1:2:3'), { parameters: reconstruction }, ['dual'])).toThrow(
      /intervalMs cannot be -1/,
    );
    expect(() =>
      runSweep({ parameter: 'retained', values: [1, 1.5] }, { parameters: reconstruction }, ['k']),
    ).toThrow(/retained cannot be 1\.5/);
    const measured = { parameters: reconstruction, latency: exponentialLatency(1) };
    expect(() => runSweep(parseSweep('latencyBoundMs=1:2:3'), measured, ['dual'])).toThrow(
      /latency comes from samples/,
    );
    expect(() => withNumber(reconstruction, 'vmMttfHours', Number.NaN)).toThrow(/vmMttfHours cannot be NaN/);
  });
});

describe('the tornado', () => {
  it('has the widest bar first, and pc over its own interval where it has one', () => {
    const setting = { parameters: reconstruction };
    const { bars } = tornado('dual', setting, {
      corruption: { value: 0.016, low: 0.001, high: 0.2, confidence: 0.95 },
    });
    const widths = bars.map((bar) => Math.abs(bar.downtimeAtHigh - bar.downtimeAtLow));
    expect(widths).toEqual(widths.toSorted((a, b) => b - a));
    expect(bars[0]).toMatchObject({ input: 'pc (k = 2)', low: 0.001, high: 0.2, range: 'its 95 % interval' });
    expect(bars[0]?.downtimeAtHigh).toBeCloseTo((1 - availabilityOf('dual', setting, 0.2)) * 525_600, 6);
    expect(tornado('dual', setting).bars.find(({ input }) => input.startsWith('pc'))?.range).toMatch(
      /no interval known/,
    );
  });

  it('has only the inputs that the variant has', () => {
    const inputs = (variant: 'none' | 'replica' | 'disk') =>
      tornado(variant, { parameters: reconstruction }).bars.map(({ input }) => input);
    expect(inputs('none')).toHaveLength(4);
    expect(inputs('replica')).toContain('failoverSeconds');
    expect(inputs('replica')).not.toContain('rollbackSeconds');
    expect(inputs('disk')).toContain('diskIntervalSeconds');
  });
});
