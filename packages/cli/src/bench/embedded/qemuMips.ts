import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWorkload, type WorkloadName } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';

const QEMU = 'qemu-system-riscv32';
const MACHINE = ['-M', 'virt', '-m', '32', '-bios', 'none', '-nographic', '-monitor', 'none'];

/** Millions of instructions a second of a whole program under QEMU, its start included. Undefined without QEMU. */
export async function qemuMips(program: WorkloadName): Promise<number | undefined> {
  if (spawnSync(QEMU, ['--version']).error !== undefined) return undefined;
  const elf = readWorkload(program);
  await using hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({ name: program, elf, engine: 'translator' });
  await hypervisor.run();
  const folder = mkdtempSync(join(tmpdir(), 'rmk-bench-'));
  try {
    const kernel = join(folder, 'kernel.elf');
    writeFileSync(kernel, elf);
    const started = performance.now();
    const { status } = spawnSync(QEMU, [...MACHINE, '-kernel', kernel], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return status === 0 ? machine.instructions / (performance.now() - started) / 1000 : undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
