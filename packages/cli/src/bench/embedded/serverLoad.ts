import { readGuest } from '@rmk/guests';
import type { MachineOptions } from '@rmk/hypervisor-embedded';
import { MEMORY_BYTES, type Engine } from './testedGuest.js';

const KEYS = 9000;
/** The guest has set its serial line up by then. */
const READY = '2ms';
/** The server takes in 4096 bytes at each tick of 1 ms. */
const REQUESTS_A_MS = 205;

/** The request server under more requests than it can take in for `lastsMs` of guest time. */
export function serverUnderLoad(engine: Engine, lastsMs: number): MachineOptions {
  return {
    name: 'server',
    elf: readGuest('server'),
    engine,
    memoryBytes: MEMORY_BYTES,
    input: [{ at: READY, data: requests(lastsMs * REQUESTS_A_MS) }],
  };
}

/** Half of them writes, to keys all over the store; the same in every run. */
function requests(count: number): Uint8Array {
  let random = 1;
  const next = (below: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return (random >>> 8) % below;
  };
  const lines = Array.from({ length: count }, (_, index) => {
    const key = `key.${next(KEYS)}`;
    const command = [`put ${key} ${next(1000)}`, `incr ${key}`, `get ${key}`, `get ${key}`][next(4)] ?? '';
    return `r${index % 1000} ${command}\n`;
  });
  return new TextEncoder().encode(lines.join(''));
}
