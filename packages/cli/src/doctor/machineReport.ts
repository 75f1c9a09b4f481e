import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const TIMEOUT_MS = 5000;
/** Bit of CAP_SYS_PTRACE in a set of Linux capabilities. */
const CAP_SYS_PTRACE = 19n;

/** A program that RMK may use, and what for. Embedded guests need none of them. */
interface Tool {
  readonly name: string;
  readonly command: string;
  readonly neededFor: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'QEMU for RISC-V',
    command: 'qemu-system-riscv32',
    neededFor: 'comparing guests with an independent machine (tests named oracle)',
  },
  {
    name: 'QEMU for x86',
    command: 'qemu-system-x86_64',
    neededFor:
      'VMs under QEMU, such as that of `npm run demo:qemu` (on Debian: apt-get install qemu-system-x86)',
  },
  {
    name: 'C compiler',
    command: 'cc',
    neededFor: 'the library that takes checkpoints within QEMU (on Debian: apt-get install gcc libc6-dev)',
  },
  {
    name: 'RISC-V compiler',
    command: 'riscv64-unknown-elf-gcc',
    neededFor: "building guests: your own, or RMK's again from their sources",
  },
];

export interface ToolReport extends Tool {
  /** First line that `--version` prints. Undefined if the program is not installed. */
  readonly version?: string;
}

export interface UserfaultfdReport {
  readonly usable: boolean;
  readonly reason: string;
  readonly neededFor: string;
}

export interface MachineReport {
  readonly platform: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly tools: readonly ToolReport[];
  readonly userfaultfd: UserfaultfdReport;
  /** Undefined without /dev/shm. */
  readonly sharedMemory?: { readonly freeBytes: number; readonly totalBytes: number };
}

/** What this machine has. Changes nothing. */
export async function machineReport(): Promise<MachineReport> {
  const [tools, userfaultfd, shared] = await Promise.all([
    Promise.all(TOOLS.map(toolReport)),
    userfaultfdReport(),
    sharedMemory(),
  ]);
  return {
    platform: `${platform()} ${release()} ${arch()}`,
    cpus: cpus().length,
    memoryBytes: totalmem(),
    tools,
    userfaultfd,
    ...(shared === undefined ? {} : { sharedMemory: shared }),
  };
}

async function toolReport(tool: Tool): Promise<ToolReport> {
  try {
    const { stdout } = await promisify(execFile)(tool.command, ['--version'], { timeout: TIMEOUT_MS });
    return { ...tool, version: stdout.split('\n')[0]?.trim() ?? '' };
  } catch {
    return tool;
  }
}

async function userfaultfdReport(): Promise<UserfaultfdReport> {
  return {
    ...(await userfaultfdState()),
    neededFor: 'tracking the pages of VMs under QEMU; the embedded hypervisor does without',
  };
}

/** Linux lets a process handle the page faults of the kernel too if it may trace, by a setting, or through a device. */
async function userfaultfdState(): Promise<{ readonly usable: boolean; readonly reason: string }> {
  if (platform() !== 'linux') return { usable: false, reason: 'only Linux has it' };
  const [setting, status, device] = await Promise.all([
    textOf('/proc/sys/vm/unprivileged_userfaultfd'),
    textOf('/proc/self/status'),
    isAccessible('/dev/userfaultfd'),
  ]);
  if (setting === undefined)
    return { usable: false, reason: 'this kernel has none (no vm.unprivileged_userfaultfd)' };
  if (setting.trim() === '1') return { usable: true, reason: 'vm.unprivileged_userfaultfd is 1' };
  const [, capabilities = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status ?? '') ?? [];
  if (((BigInt(`0x${capabilities}`) >> CAP_SYS_PTRACE) & 1n) === 1n) {
    return { usable: true, reason: 'the process has CAP_SYS_PTRACE' };
  }
  if (device) return { usable: true, reason: '/dev/userfaultfd may be opened' };
  return {
    usable: false,
    reason:
      'vm.unprivileged_userfaultfd is 0: set it to 1, grant CAP_SYS_PTRACE, or access to /dev/userfaultfd',
  };
}

async function sharedMemory(): Promise<MachineReport['sharedMemory']> {
  try {
    const { bsize, bavail, blocks } = await statfs('/dev/shm');
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function isAccessible(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
}
