import { expect, it } from 'vitest';
import { assembledElf, halts } from '../../packages/hypervisor-embedded/test/guestFixtures.js';
import { describeOracle } from './qemu.js';
import { runUnderQemu } from './runUnderQemu.js';

const UART = 0x1000_0000;
const FINISHER = 0x0010_0000;
const MEMORY_BYTES = 4 << 20;
/** Two more than a pipe between processes takes, byte by byte, on Linux as it comes. */
const BYTES = 280;
const TIMEOUT = 20_000;

/** Puts out so many x, and ends. */
const talks = assembledElf((to) => {
  to.li('t0', UART).li('t1', BYTES).li('t2', 'x'.charCodeAt(0)).label('next').store('sb', 't2', 't0');
  to.addi('t1', 't1', -1).branch('bne', 't1', 'zero', 'next');
  to.li('t0', FINISHER)
    .li('t1', (7 << 16) | 0x3333)
    .store('sw', 't1', 't0');
});

function blockFor(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

describeOracle('a run under QEMU', () => {
  it('oracle: gives all of the output and the exit code, however slow we are', async () => {
    const run = runUnderQemu({ name: 'talks', elf: talks, memoryBytes: MEMORY_BYTES, timeout: TIMEOUT });
    const blocked = setInterval(() => blockFor(300), 20);
    const { exitCode, output } = await run.finally(() => clearInterval(blocked));
    expect([exitCode, new TextDecoder().decode(output)]).toEqual([7, 'x'.repeat(BYTES)]);
  });

  it('oracle: that does not end in time is an error, and is ended', async () => {
    const run = runUnderQemu({
      name: 'halts',
      elf: assembledElf(halts),
      memoryBytes: MEMORY_BYTES,
      timeout: 500,
    });
    await expect(run).rejects.toThrow('halts under QEMU did not end within 0.5 s');
  });

  it('oracle: of what QEMU cannot load is an error with its words', async () => {
    const tooLarge = { address: 0x8100_0000, data: new Uint8Array(8) };
    const guest = { name: 'halts', elf: assembledElf(halts), memoryBytes: 2 << 20, bootData: [tooLarge] };
    await expect(runUnderQemu({ ...guest, timeout: TIMEOUT })).rejects.toThrow(
      /^halts under QEMU failed; QEMU said: qemu-system-riscv32: /,
    );
  });
});
