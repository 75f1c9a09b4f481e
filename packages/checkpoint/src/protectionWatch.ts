import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  definePlugin,
  INSTALLATION_STATE,
  stateKey,
  tokenName,
  type Bus,
  type Clock,
  type InstallationState,
  type Module,
  type Nanoseconds,
  type PluginState,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** States in which an agent retains no checkpoint and cannot say so. */
const AGENT_GONE: Readonly<Partial<Record<PluginState, string>>> = {
  quarantined: 'is quarantined',
  failed: 'has failed',
  pending: 'is restarted',
  removed: 'was removed',
};
const AGENT = tokenName(CHECKPOINTS);

interface Loss {
  sinceNs: Nanoseconds | undefined;
}

const LOSS = stateKey((): Loss => ({ sinceNs: undefined }));

/**
 * Says whether the guest is protected. The only publisher of EVT_PROTECTIONLOST and EVT_PROTECTIONRESTORED, so each
 * loss is reported once, with its whole length, however many agents come and go meanwhile. An agent is whatever plugin
 * provides CHECKPOINTS: it reports by EVT_CHECKPOINTED and EVT_CHECKPOINTLOST, or is gone itself.
 */
@injectable()
class ProtectionWatch implements Module {
  private readonly loss: Loss;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(INSTALLATION_STATE) kept: InstallationState,
  ) {
    // A restart of the watch does not forget the loss.
    this.loss = kept.get(LOSS);
  }

  start(): void {
    this.bus.on('EVT_CHECKPOINTED', () => this.restored());
    this.bus.on('EVT_CHECKPOINTLOST', ({ endsProtection, reason }) => {
      if (endsProtection) this.lost(reason);
    });
    this.bus.on('EVT_PLUGINCHANGED', ({ plugin, to, provides, reason }) => {
      const gone = AGENT_GONE[to];
      if (gone === undefined || !provides.includes(AGENT)) return;
      this.lost(`${plugin} ${gone}${reason === undefined ? '' : `: ${reason}`}`);
    });
  }

  private lost(reason: string): void {
    if (this.loss.sinceNs !== undefined) return;
    const atNs = this.clock.now();
    this.loss.sinceNs = atNs;
    this.bus.topic('EVT_PROTECTIONLOST').publish({ atNs, reason });
  }

  private restored(): void {
    const { sinceNs } = this.loss;
    if (sinceNs === undefined) return;
    this.loss.sinceNs = undefined;
    const atNs = this.clock.now();
    this.bus.topic('EVT_PROTECTIONRESTORED').publish({ atNs, lostForNs: atNs - sinceNs });
  }
}

/** Comes with {@link checkpoint}, as a plugin of its own that outlives the agent. */
export const protectionWatch = definePlugin({
  name: '@rmk/protection-watch',
  version: '0.2.0',
  rmk: '^0.2.0',
  modules: [ProtectionWatch],
});
