import { colour } from '../colour.js';
import type { QemuBenchmarkResult } from './qemuBenchmark.js';

/** A checkpoint of much memory may cost so much more than one of little, for the same pages written. */
const LARGEST_RATIO = 1.3;

export function isExact({ stress }: QemuBenchmarkResult): boolean {
  return stress.wrongMemory === 0 && stress.wrongState === 0;
}

export function qemuJson(result: QemuBenchmarkResult): string {
  const verdict = isExact(result) ? 'pass' : 'fail';
  const withinRatio = result.memoryRatio <= LARGEST_RATIO;
  return `${JSON.stringify({ verdict, withinRatio, ...result }, undefined, 2)}\n`;
}

export function qemuText(result: QemuBenchmarkResult): string {
  const { control, tracker, stress, memory, memoryRatio } = result;
  const { checkpoints, rollbacks, wrongMemory, wrongState } = stress;
  const exact = isExact(result)
    ? colour.green('every rollback gave back all RAM and the device state')
    : colour.red(`${wrongMemory} times RAM was wrong, ${wrongState} times the device state`);
  return [
    `Control ${control}, tracker ${tracker}, under a write-heavy perl job.`,
    `${checkpoints} checkpoints and ${rollbacks} rollbacks in a row: ${exact}.`,
    ...memory.map(
      ({ memoryMiB, pauseMs: { p50, p95, p99 }, pages }) =>
        `${memoryMiB} MiB: pause ${p50} / ${p95} / ${p99} ms (p50 / p95 / p99) with ${pages} pages in an epoch.`,
    ),
    `The largest to the smallest: ${memoryRatio.toFixed(2)} (at most ${LARGEST_RATIO} is aimed at).`,
    '',
  ].join('\n');
}
