import { BootWatch } from './run/bootWatch.js';
import { defaultMachinesFolder } from './process/machineFolder.js';
import {
  checkHypervisorOptions,
  checkMachineOptions,
  pagesOf,
  type CheckedHypervisorOptions,
  type QemuHypervisorOptions,
  type QemuMachineOptions,
} from './machineOptions.js';
import { buildNativeLibrary } from './process/nativeLibrary.js';
import { openControl } from './control/openControl.js';
import { QemuMachine, type MachineSettings } from './qemuMachine.js';
import { QemuProcess } from './process/qemuProcess.js';
import { removeDeadMachines } from './process/runningMachines.js';
import { checkState, type MachineState } from './process/stateFile.js';

/** Real VMs, each in a QEMU of its own. */
export class QemuHypervisor implements AsyncDisposable {
  private readonly options: CheckedHypervisorOptions;
  private vms: readonly QemuMachine[] = [];

  /** Throws `RMK_ERR_INPUT` with every problem and its path. */
  constructor(options: QemuHypervisorOptions = {}) {
    this.options = checkHypervisorOptions(options);
  }

  /** Those that have not been closed. */
  get machines(): readonly QemuMachine[] {
    return this.vms.filter(({ isClosed }) => !isClosed);
  }

  /**
   * Starts QEMU and its guest, and resolves when the VM runs; with `ready`, when it has booted. Throws `RMK_ERR_INPUT`
   * for invalid options, unreadable files and too little memory; `RMK_ERR_HYPERVISOR` if QEMU does not start, with what
   * it wrote, or if the guest fails before it is ready, with the end of its console; `RMK_ERR_COMPILER` if the library
   * that takes checkpoints cannot be built. Calls `observe` before the guest runs: a listener added there misses
   * nothing of the boot. If `signal` aborts, ends QEMU and throws its reason.
   */
  async startMachine(
    options: QemuMachineOptions,
    observe: (machine: QemuMachine) => void = () => {},
    signal?: AbortSignal,
  ): Promise<QemuMachine> {
    const checked = checkMachineOptions(options);
    const { qemu, folder = defaultMachinesFolder(), control } = this.options;
    await removeDeadMachines(folder);
    const program = { command: qemu, folder };
    const process = await QemuProcess.start(
      checked,
      control === 'none' ? program : { ...program, library: await buildNativeLibrary() },
    );
    return this.over(process, async (machine) => {
      observe(machine);
      const { ready } = checked;
      const watch = ready === undefined ? undefined : new BootWatch(machine, ready);
      try {
        signal?.throwIfAborted();
        await machine.run();
        await watch?.untilReady(signal);
      } finally {
        watch?.dispose();
      }
      signal?.throwIfAborted();
      await machine.protect();
      signal?.throwIfAborted();
    });
  }

  /**
   * Attaches to a VM that runs already: by its folder, to one that RMK started, as after a crash of RMK; or to one that
   * was started by hand with the documented options, by the content that `state.json` would have. Resumes a VM that the
   * end of RMK left suspended. Throws `RMK_ERR_INPUT`, `RMK_ERR_GONE`, `RMK_ERR_STATE` if another process of RMK has
   * it, `RMK_ERR_TIMEOUT` if QEMU does not respond.
   */
  async attachMachine(
    to: string | MachineState,
    observe: (machine: QemuMachine) => void = () => {},
  ): Promise<QemuMachine> {
    const target = typeof to === 'string' ? to : checkState(to, 'the description of a VM');
    const process = await QemuProcess.attach(target);
    const begin = async (machine: QemuMachine): Promise<void> => {
      observe(machine);
      await machine.run();
      await machine.protect();
    };
    return this.over(process, begin, 'leave');
  }

  /** Ends all VMs. */
  async close(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.close()));
    this.vms = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async over(
    process: QemuProcess,
    begin: (machine: QemuMachine) => Promise<void>,
    onFailure: 'end' | 'leave' = 'end',
  ): Promise<QemuMachine> {
    try {
      const machine = await QemuMachine.over(process, this.settings(process));
      await begin(machine).catch(async (error: unknown) => {
        await machine.release();
        throw error;
      });
      this.vms = [...this.machines, machine];
      return machine;
    } catch (error) {
      if (onFailure === 'end') await process.end();
      else await process.leave();
      throw error;
    }
  }

  private settings({ state }: QemuProcess): MachineSettings {
    const { schedulingInterval, control: kind, tracker, audit, logPages } = this.options;
    if (kind === 'none') return { schedulingInterval };
    const choice = { kind, tracker, audit, logPages: logPages ?? pagesOf(state.memoryBytes) };
    return { schedulingInterval, protection: { open: openControl, choice } };
  }
}
