import {
  faultReduction,
  type AlgorithmName,
  type EmbeddedBenchmarkResult,
  type EngineFigures,
} from './embeddedBenchmark.js';
import type { Estimate } from './figures.js';
import type { ProgramFigures } from './programRun.js';

/** What `--json` prints. `slowdown` is what `rmk model advise --slowdown` reads: COWP on the first engine. */
export function embeddedJson(result: EmbeddedBenchmarkResult): string {
  const [first] = result.engines;
  const { clock, node, memoryBytes, extent, engines, qemuMips } = result;
  const json = {
    ...(first === undefined ? {} : headline(first)),
    mips: {
      ...Object.fromEntries(engines.map(({ engine, mips }) => [engine, mips])),
      ...(qemuMips === undefined ? {} : { qemu: qemuMips }),
    },
    setting: { clock, node, memoryBytes, ...extent },
    engines: Object.fromEntries(engines.map((figures) => [figures.engine, detailed(figures)])),
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

function headline(figures: EngineFigures) {
  const { averages, noise, storeCheck, peers, algorithms } = figures;
  const intervals = [...new Set(averages.map(({ intervalMs }) => intervalMs))];
  const average = (intervalMs: number, algorithm: AlgorithmName) =>
    averages.find((one) => one.intervalMs === intervalMs && one.algorithm === algorithm);
  const percentAt = (intervalMs: number, algorithm: AlgorithmName) =>
    percentOf(average(intervalMs, algorithm)?.slowdown);
  return {
    slowdown: averages
      .filter(({ algorithm }) => algorithm === 'cowp')
      .flatMap(({ intervalMs, slowdown }) =>
        slowdown === undefined
          ? []
          : [{ intervalMs, slowdown: slowdown.mean, low: slowdown.low, high: slowdown.high }],
      ),
    slowdownPercent: Object.fromEntries(
      averages
        .filter(({ slowdown, algorithm }) => slowdown !== undefined && algorithm === 'cowp')
        .map(({ intervalMs }) => [
          intervalMs,
          { cowb: percentAt(intervalMs, 'cowb'), cowp: percentAt(intervalMs, 'cowp') },
        ]),
    ),
    noisePercent: percentOf(noise),
    ...(storeCheck === undefined ? {} : { storeCheckPercent: percentOf(storeCheck) }),
    faultReductionPercent: Object.fromEntries(intervals.map((ms) => [ms, 100 * faultReduction(figures, ms)])),
    preSavedInVainPercent: Object.fromEntries(
      intervals.map((ms) => {
        const { preSavedInVain = 0, pagesSaved = 1 } = average(ms, 'cowp') ?? {};
        return [ms, (100 * preSavedInVain) / pagesSaved];
      }),
    ),
    peers: Object.fromEntries(
      Object.entries(peers).map(([name, { mean }]) => [name, { slowdownPercent: 100 * mean }]),
    ),
    algorithms,
  };
}

/** The mean alone: its interval is in `engines`. */
function percentOf(estimate: Estimate | undefined): number | undefined {
  return estimate === undefined ? undefined : 100 * estimate.mean;
}

/** Without the lists of pages. */
function detailed({ programs, server, ...figures }: EngineFigures) {
  return { ...figures, programs: programs.map(short), server: short(server) };
}

function short(program: ProgramFigures): Omit<ProgramFigures, 'written' | 'pauses'> {
  const { mips, linesPerSecond, statePages, overlap, protections } = program;
  return { program: program.program, mips, linesPerSecond, statePages, overlap, protections };
}
