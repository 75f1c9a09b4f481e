import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { RmkError, type Nanoseconds } from '@rmk/core';
import {
  checkMachineOptions,
  claimName,
  findMachines,
  QemuHypervisor,
  type FoundMachine,
  type QemuHypervisorOptions,
  type QemuMachine,
  type QemuMachineOptions,
} from '@rmk/hypervisor-qemu';
import { StreamedOutput, type GuestFiles } from './guestOutput.js';
import type { MachineStart, RunHypervisor, RunMachine } from './runMachine.js';

const SERIAL = 'serial';
const POLL_MS = 20;
const STAND_IN_BYTES = 16 * 2 ** 20;
const EMPTY_DISK_BYTES = 2 ** 20;

/** VMs in QEMU, in real time. */
export class QemuRun implements RunHypervisor {
  private readonly hypervisor: QemuHypervisor;
  private readonly machines: QemuRunMachine[] = [];
  private scratch: string | undefined;
  /** Whether its VMs run on when it is closed. */
  private leaves = false;

  /** `RMK_ERR_INPUT` with every problem of the options. */
  constructor(private readonly options: QemuHypervisorOptions = {}) {
    this.hypervisor = new QemuHypervisor(options);
  }

  /**
   * Starts QEMU and its guest, or takes over the VM of this name that runs already, as after a crash of RMK. Throws
   * what the hypervisor does, the reason of the signal if that aborts, and `RMK_ERR_STATE` if the running VM has
   * another size.
   */
  async start(options: QemuMachineOptions, how: MachineStart): Promise<RunMachine> {
    const { signal, takesOver } = how;
    // Until the VM runs: two processes at once would start two of one name.
    await using _ = takesOver ? await claimName(options.name, this.options.folder) : undefined;
    const running = takesOver ? await this.running(options) : undefined;
    return this.made(how, (onMade) =>
      running === undefined
        ? this.hypervisor.startMachine(options, onMade(false), signal)
        : this.hypervisor.attachMachine(running.folder, onMade(true)),
    );
  }

  /** Attaches to a VM that runs already. It runs on when this ends. */
  async attach({ folder }: FoundMachine, how: MachineStart): Promise<RunMachine> {
    this.leaves = true;
    return this.made(how, (onMade) => this.hypervisor.attachMachine(folder, onMade(true)));
  }

  /** What a user is to know of VMs that run on if this process ends now. */
  get leftBehind(): readonly string[] {
    return this.machines
      .filter(({ hasEnded }) => !hasEnded)
      .map(({ vm: { name } }) => `VM ${name} runs on without RMK: \`rmk stop ${name}\` ends it`);
  }

  /** A VM with the same devices, whose firmware finds nothing to boot: nothing of the user's runs, or is written. */
  async standIn({ name, channels, heartbeat }: Partial<QemuMachineOptions> = {}): Promise<RunMachine> {
    this.scratch ??= await mkdtemp(join(tmpdir(), 'rmk-stand-in-')); // mode 0700
    const file = join(this.scratch, 'empty-disk');
    await writeFile(file, '');
    await truncate(file, EMPTY_DISK_BYTES);
    const options: QemuMachineOptions = {
      name: name ?? 'stand-in',
      memoryBytes: STAND_IN_BYTES,
      disks: [{ file }],
      ...(channels === undefined ? {} : { channels }),
      ...(heartbeat === undefined ? {} : { heartbeat }),
    };
    return this.made({}, (onMade) => this.hypervisor.startMachine(options, onMade(false)));
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

  private async running(options: QemuMachineOptions): Promise<FoundMachine | undefined> {
    const { name, memoryBytes } = checkMachineOptions(options);
    const all = await findMachines(this.options.folder);
    const [found, ...others] = all.filter((machine) => machine.name === name && machine.isRunning);
    if (found !== undefined && (others.length > 0 || found.isDamaged)) {
      const folders = [found, ...others].map(({ folder }) => basename(folder)).join(', ');
      const why = others.length > 0 ? 'runs more than once' : 'runs already, and its state.json is damaged';
      throw new RmkError(
        'RMK_ERR_STATE',
        `VM ${JSON.stringify(name)} ${why} (${folders}). End it with \`rmk stop\` and its folder.`,
      );
    }
    if (found === undefined || found.memoryBytes === memoryBytes) return found;
    throw new RmkError(
      'RMK_ERR_STATE',
      `VM ${JSON.stringify(name)} runs already, with ${found.memoryBytes / 2 ** 20} MiB instead of ${memoryBytes / 2 ** 20} MiB. ` +
        `End it with \`rmk stop ${name}\`, or name this guest differently.`,
    );
  }

  private async made(
    { observe, files }: Pick<MachineStart, 'observe' | 'files'>,
    make: (onMade: (attached: boolean) => (vm: QemuMachine) => void) => Promise<unknown>,
  ): Promise<RunMachine> {
    const made: QemuRunMachine[] = [];
    const onMade = (attached: boolean) => (vm: QemuMachine) => {
      const machine = new QemuRunMachine(vm, attached, files);
      made.push(machine);
      this.machines.push(machine);
      observe?.(machine);
    };
    try {
      await make(onMade);
    } catch (error) {
      for (const machine of made) machine.giveUp();
      throw error;
    }
    const [machine] = made;
    if (machine === undefined) throw new Error('the hypervisor started a VM without showing it');
    return machine;
  }

  /** Ends every QEMU, like a power failure, but for those that it only attached to. */
  async close(): Promise<void> {
    if (this.leaves) await Promise.all(this.hypervisor.machines.map((machine) => machine.detach()));
    await this.hypervisor.close();
    if (this.scratch !== undefined) await rm(this.scratch, { recursive: true, force: true });
  }
}

/** Follows the console output of a VM, and whether it still runs. */
class QemuRunMachine implements RunMachine {
  readonly instructions = undefined;
  exitCode: number | undefined;
  hasEnded = false;
  readonly output: StreamedOutput;

  constructor(
    readonly vm: QemuMachine,
    readonly attached: boolean,
    files: GuestFiles | undefined,
  ) {
    this.output = new StreamedOutput(files, () => vm.committedBytes(SERIAL));
    vm.observe('output', (fact) => {
      if (fact.device === SERIAL) this.output.append(fact);
    });
    vm.observe('exited', ({ code }) => {
      this.exitCode = code;
      this.hasEnded = true;
    });
    vm.observe('gone', () => void (this.hasEnded = true));
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
}
