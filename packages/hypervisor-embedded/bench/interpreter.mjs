// How fast the interpreter runs a guest: `node bench/interpreter.mjs [guest.elf]`, after a build.
// Pages are protected again every 5 million cycles, as by a checkpoint every 50 ms at 100 MHz.
import { readFileSync } from 'node:fs';
import { readGuest } from '@rmk/guests';
import { Board } from '../dist/board.js';
import { parseElf } from '../dist/elf/elf.js';
import { GuestMemory } from '../dist/memory/guestMemory.js';
import { InputLog } from '../dist/devices/inputLog.js';
import { Stop } from '../dist/hart/processor.js';
import { Transcript } from '../dist/devices/transcript.js';

const CYCLES_PER_TICK = 10;
const EPOCH_CYCLES = 5_000_000;
const RUNS = 5;

const path = process.argv[2];
const elf = path === undefined ? readGuest('tasks') : readFileSync(path);
const image = parseElf(elf, path ?? 'tasks');

for (let run = 1; run <= RUNS; run += 1) {
  const memory = new GuestMemory(32 * 1024 * 1024, 4096);
  const board = new Board(memory, new Transcript(1 << 20), new InputLog(), CYCLES_PER_TICK);
  board.boot({ image: image, bootData: [], deviceTree: undefined, currentTask: undefined });
  const { state, processor } = board;
  const before = process.cpuUsage();
  let epochEnd = EPOCH_CYCLES;
  for (;;) {
    const stop = processor.run(epochEnd);
    if (stop === Stop.EXITED) break;
    if (stop === Stop.WAITING) {
      const wake = state.nextWakeCycle();
      if (wake === Infinity) break;
      state.idleCycles += wake - state.cycles;
      state.cycles = wake;
    } else if (stop === Stop.LIMIT) {
      memory.pageState.fill(1);
      epochEnd += EPOCH_CYCLES;
    }
  }
  const { user, system } = process.cpuUsage(before);
  const mips = (state.instructions / (user + system)).toFixed(0);
  process.stdout.write(
    `run ${run}: ${state.instructions} instructions, ${mips} MIPS, exit code ${state.exitCode}\n`,
  );
}
