import { BootWatch } from './bootWatch.js';
import { defaultMachinesFolder } from './machineFolder.js';
import {
  checkHypervisorOptions,
  checkMachineOptions,
  pagesOf,
  type CheckedHypervisorOptions,
  type QemuHypervisorOptions,
  type QemuMachineOptions,
} from './machineOptions.js';
import { buildNativeLibrary } from './nativeLibrary.js';
import { openControl } from './openControl.js';
import { QemuMachine, type MachineSettings } from './qemuMachine.js';
import { QemuProcess } from './qemuProcess.js';
import { checkState, type MachineState } from './stateFile.js';

/** Real VMs, each in a QEMU of its own. */
export class QemuHypervisor {
  private readonly options: CheckedHypervisorOptions;
  private vms: readonly QemuMachine[] = [];

  /** `RMK_ERR_INPUT` with every problem and its path. */
  constructor(options: QemuHypervisorOptions = {}) {
    this.options = checkHypervisorOptions(options);
  }

  /** Those that have not been closed. */
  get machines(): readonly QemuMachine[] {
    return this.vms.filter(({ isClosed }) => !isClosed);
  }

  /**
   * Starts QEMU and its guest, and gives the VM when it runs; with `ready`, when it has booted. `RMK_ERR_INPUT` for bad
   * options, files that cannot be read and memory that is short; `RMK_ERR_HYPERVISOR` where QEMU does not start, with
   * what it said, and where the guest fails before it is ready, with the end of its console; `RMK_ERR_COMPILER` where
   * the library that takes checkpoints cannot be built. `observe` is called before the guest runs: whoever listens there
   * misses nothing of its boot.
   */
  async startMachine(
    options: QemuMachineOptions,
    observe: (machine: QemuMachine) => void = () => {},
  ): Promise<QemuMachine> {
    const checked = checkMachineOptions(options);
    const { qemu, folder = defaultMachinesFolder(), control } = this.options;
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
        await machine.run();
        await watch?.untilReady();
      } finally {
        watch?.dispose();
      }
      await machine.protect();
    });
  }

  /**
   * Takes over a VM that runs already: by its folder, one that RMK started, as after a crash of RMK; or one that was
   * started by hand with the documented options, by what `state.json` would say of it. A VM that the end of RMK left
   * suspended runs on. `RMK_ERR_INPUT`, `RMK_ERR_GONE`, `RMK_ERR_TIMEOUT`, as {@link QemuProcess.attach} says.
   */
  async attachMachine(to: string | MachineState): Promise<QemuMachine> {
    const target = typeof to === 'string' ? to : checkState(to, 'the description of a VM');
    const process = await QemuProcess.attach(target);
    const begin = async (machine: QemuMachine): Promise<void> => {
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

  private async over(
    process: QemuProcess,
    begin: (machine: QemuMachine) => Promise<void>,
    onFailure: 'end' | 'leave' = 'end',
  ): Promise<QemuMachine> {
    try {
      const machine = await QemuMachine.over(process, this.settings(process));
      await begin(machine).catch(async (error: unknown) => {
        await machine.letGo();
        throw error;
      });
      this.vms = [...this.machines, machine];
      return machine;
    } catch (error) {
      if (onFailure === 'end') await process.end();
      else process.leave();
      throw error;
    }
  }

  private settings({ state }: QemuProcess): MachineSettings {
    const { schedulingInterval, control: kind, tracker, audit, logPages } = this.options;
    if (kind === 'none') return { schedulingInterval };
    const choice = { kind, tracker, audit, logPages: logPages ?? pagesOf(state.memoryBytes) };
    return { schedulingInterval, control: { open: openControl, choice } };
  }
}
