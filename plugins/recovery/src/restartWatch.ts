import 'reflect-metadata';
import {
  BUS,
  definePlugin,
  INSTALLATION_STATE,
  provide,
  stateKey,
  token,
  type Bus,
  type InstallationState,
  type Module,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** Counts the restarts of a VM, also while its recovery is down. */
export interface VmRestarts {
  /** Restarts since the watch was installed. */
  readonly count: number;
}

export const VM_RESTARTS = token<VmRestarts>('VM_RESTARTS', { members: ['count'] });

const RESTARTS = stateKey(() => ({ count: 0 }));

@injectable()
class RestartWatch implements VmRestarts, Module {
  private readonly counter: { count: number };

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(INSTALLATION_STATE) kept: InstallationState,
  ) {
    // A restart of the watch does not forget the count.
    this.counter = kept.get(RESTARTS);
  }

  start(): void {
    this.bus.on('EVT_VMRESTARTED', () => {
      this.counter.count += 1;
    });
  }

  get count(): number {
    return this.counter.count;
  }
}

/** Comes with `recovery()`, as a plugin of its own that outlives the recovery. */
export const restartWatch = definePlugin({
  name: '@rmk/restart-watch',
  version: '0.2.0',
  rmk: '^0.2.0',
  provides: [provide(VM_RESTARTS, RestartWatch)],
});
