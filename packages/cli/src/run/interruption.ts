import type { Terminal } from '../terminal.js';
import type { RunHypervisor } from './runMachine.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ctrl-C or SIGTERM aborts the signal. A second one ends the process at once, and names the VMs that run on. */
export class Interruption {
  private readonly controller = new AbortController();
  private readonly onSignal = (name: NodeJS.Signals): void => {
    if (!this.signal.aborted) {
      this.controller.abort();
      return;
    }
    for (const line of this.hypervisor.leftBehind) this.terminal.err(`${line}.\n`);
    this.release();
    process.kill(process.pid, name);
  };

  constructor(
    private readonly hypervisor: Pick<RunHypervisor, 'leftBehind'>,
    private readonly terminal: Pick<Terminal, 'err'>,
  ) {
    for (const name of SIGNALS) process.on(name, this.onSignal);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Restores the default behaviour of signals. */
  release(): void {
    for (const name of SIGNALS) process.off(name, this.onSignal);
  }
}
