import {
  faultReduction,
  type AlgorithmName,
  type EmbeddedBenchmarkResult,
  type EngineFigures,
} from './embeddedBenchmark.js';
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
  const { averages, peers, algorithms } = figures;
  const intervals = [...new Set(averages.map(({ intervalMs }) => intervalMs))];
  const byInterval = (of: (intervalMs: number, algorithm: AlgorithmName) => number) =>
    Object.fromEntries(
      intervals.map((intervalMs) => [
        intervalMs,
        { cowb: of(intervalMs, 'cowb'), cowp: of(intervalMs, 'cowp') },
      ]),
    );
  const average = (intervalMs: number, algorithm: AlgorithmName) =>
    averages.find((one) => one.intervalMs === intervalMs && one.algorithm === algorithm);
  return {
    slowdown: averages
      .filter(({ algorithm }) => algorithm === 'cowp')
      .map(({ intervalMs, slowdown: { mean, error } }) => ({
        intervalMs,
        slowdown: mean,
        low: mean - error,
        high: mean + error,
      })),
    slowdownPercent: byInterval((ms, name) => 100 * (average(ms, name)?.slowdown.mean ?? Number.NaN)),
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

/** Without the lists of pages. */
function detailed({ programs, server, ...figures }: EngineFigures) {
  return { ...figures, programs: programs.map(short), server: short(server) };
}

function short(program: ProgramFigures): Omit<ProgramFigures, 'written' | 'pauses'> {
  const { mips, linesPerSecond, statePages, overlap, protections } = program;
  return { program: program.program, mips, linesPerSecond, statePages, overlap, protections };
}
