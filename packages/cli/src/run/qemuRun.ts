import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Facts, Nanoseconds } from '@rmk/core';
import {
  QemuHypervisor,
  type QemuHypervisorOptions,
  type QemuMachine,
  type QemuMachineOptions,
} from '@rmk/hypervisor-qemu';
import type { RunHypervisor, RunMachine } from './runMachine.js';

const SERIAL = 'serial';
const POLL_MS = 20;
const STAND_IN_BYTES = 16 * 2 ** 20;
const EMPTY_DISK_BYTES = 2 ** 20;

/** VMs in QEMU, in real time. */
export class QemuRun implements RunHypervisor {
  private readonly hypervisor: QemuHypervisor;
  private readonly machines: QemuRunMachine[] = [];
  private scratch: string | undefined;

  /** `RMK_ERR_INPUT` with every problem of the options. */
  constructor(options: QemuHypervisorOptions = {}) {
    this.hypervisor = new QemuHypervisor(options);
  }

  /** Starts QEMU and its guest. Throws what the hypervisor does. */
  async start(options: QemuMachineOptions): Promise<RunMachine> {
    const observed: QemuRunMachine[] = [];
    await this.hypervisor.startMachine(options, (vm) => void observed.push(new QemuRunMachine(vm)));
    this.machines.push(...observed);
    const [machine] = observed;
    if (machine === undefined) throw new Error('the hypervisor started a VM without showing it');
    return machine;
  }

  /** A VM with the same devices, whose firmware finds nothing to boot: nothing of the user's runs, or is written. */
  async standIn({ name, channels, heartbeat }: Partial<QemuMachineOptions> = {}): Promise<RunMachine> {
    this.scratch ??= await mkdtemp(join(tmpdir(), 'rmk-stand-in-')); // mode 0700
    const file = join(this.scratch, 'empty-disk');
    await writeFile(file, '');
    await truncate(file, EMPTY_DISK_BYTES);
    return this.start({
      name: name ?? 'stand-in',
      memoryBytes: STAND_IN_BYTES,
      disks: [{ file }],
      ...(channels === undefined ? {} : { channels }),
      ...(heartbeat === undefined ? {} : { heartbeat }),
    });
  }

  /** Waits: the VMs run by themselves. */
  async run({
    untilNs,
    signal,
  }: {
    readonly untilNs: Nanoseconds;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const isOver = (machine: QemuRunMachine): boolean =>
      machine.hasEnded || machine.vm.clock.now() >= untilNs;
    while (!signal.aborted && !this.machines.every(isOver)) {
      await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
    }
  }

  /** Ends every QEMU, like a power failure. */
  async close(): Promise<void> {
    await this.hypervisor.close();
    if (this.scratch !== undefined) await rm(this.scratch, { recursive: true, force: true });
  }
}

/** Keeps the console output of a VM, and whether it still runs. */
class QemuRunMachine implements RunMachine {
  readonly instructions = undefined;
  exitCode: number | undefined;
  hasEnded = false;
  private readonly wire: Uint8Array[] = [];
  /** Pieces of committed output, and their length together. */
  private readonly committed: Uint8Array[] = [];
  private committedBytes = 0;

  constructor(readonly vm: QemuMachine) {
    vm.observe('output', (fact) => this.output(fact));
    vm.observe('exited', ({ code }) => {
      this.exitCode = code;
      this.hasEnded = true;
    });
    vm.observe('gone', () => void (this.hasEnded = true));
  }

  get committedOutput(): Uint8Array {
    return Buffer.concat(this.committed);
  }

  get wireOutput(): Uint8Array {
    return Buffer.concat(this.wire);
  }

  get workLostNs(): Nanoseconds {
    return this.vm.undoneNs;
  }

  get isRunnable(): boolean {
    return !this.hasEnded;
  }

  giveUp(): void {
    this.hasEnded = true;
  }

  private output({ device, data, position }: Facts['output']): void {
    if (device !== SERIAL) return;
    this.wire.push(data);
    this.strike(position);
    this.committed.push(data);
    this.committedBytes += data.length;
  }

  /** Drops output after `position`: a rollback undid it. */
  private strike(position: number): void {
    while (this.committedBytes > position) {
      const last = this.committed.pop() ?? new Uint8Array(0);
      const keep = Math.max(0, position - (this.committedBytes - last.length));
      this.committedBytes -= last.length - keep;
      if (keep > 0) this.committed.push(last.subarray(0, keep));
    }
  }
}
