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

/** Counts the restarts of the guest, also while the recovery is down. */
export interface RestartCount {
  readonly count: number;
}

export const PLUGINNAME_RESTARTS = token<RestartCount>('PLUGINNAME_RESTARTS', { members: ['count'] });

const RESTARTS = stateKey(() => ({ count: 0 }));

@injectable()
class RestartWatch implements RestartCount, Module {
  private readonly counter: { count: number };

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(INSTALLATION_STATE) kept: InstallationState,
  ) {
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

/** Installed together with the recovery, as a plugin of its own that outlives it. */
export const restartWatch = definePlugin({
  name: 'rmk-plugin-plugin-name-restarts',
  version: '0.1.0',
  rmk: '^0.0.0-rmk',
  provides: [provide(PLUGINNAME_RESTARTS, RestartWatch)],
});
