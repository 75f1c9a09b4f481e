import { z } from 'zod';
import { CHANNEL_ID } from '../process/qemuArguments.js';
import type { QmpClient } from '../qmp/qmpClient.js';

const chardevs = z.array(z.object({ label: z.string(), 'frontend-open': z.boolean() }));

/** Which channels a program of the guest has open. */
export type OpenChannels = ReadonlyMap<string, boolean>;

export async function queryChannels(qmp: QmpClient): Promise<OpenChannels> {
  const channels = (await qmp.query('query-chardev', chardevs)).filter(({ label }) =>
    label.startsWith(CHANNEL_ID),
  );
  return new Map(
    channels.map(({ label, 'frontend-open': isOpen }) => [label.slice(CHANNEL_ID.length), isOpen]),
  );
}

/**
 * Follows the guest's ends of the channels. QEMU's event about them is no more than a hint: it comes late, at most once
 * a second, and also when a rollback resets a device and loads it again.
 */
export class ChannelStates {
  private known: OpenChannels = new Map();
  private discarded = 0;
  /** There was a hint while RMK itself replaced the state of the devices. */
  private isPostponed = false;

  constructor(
    private readonly query: () => Promise<OpenChannels>,
    /** RMK itself changes the state of the devices. */
    private readonly isReplacing: () => boolean,
    private readonly report: (device: string, isOpen: boolean) => void,
  ) {}

  /** Takes the present states for known, without a report. */
  async adopt(): Promise<void> {
    this.known = await this.query();
  }

  /** QEMU hints at a change: reports what has changed for good. */
  async look(): Promise<void> {
    const { discarded } = this;
    const now = await this.query();
    if (discarded !== this.discarded) return;
    this.isPostponed = this.isReplacing();
    if (this.isPostponed) return;
    const before = this.known;
    this.known = now;
    for (const [device, isOpen] of now) {
      if (isOpen !== (before.get(device) ?? false)) this.report(device, isOpen);
    }
  }

  /** Looks again where it had to wait: RMK has done what it did to the devices. */
  async lookIfPostponed(): Promise<void> {
    if (!this.isPostponed) return;
    this.isPostponed = false;
    await this.look();
  }

  /** Looks under way find what a failure or a rollback made of the devices, not what the guest wanted. */
  discard(): void {
    this.discarded++;
  }
}
