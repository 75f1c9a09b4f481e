import { Campaign, type GoldenTrack } from '@rmk/campaign';
import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import { goldenOf, planOf, type CampaignSource } from './campaignSource.js';
import type { PlannedCampaign } from './experimentFile.js';

export interface PreparedCampaign extends PlannedCampaign {
  readonly campaign: Campaign<MachineSnapshot>;
}

/** The campaigns of one thread, each prepared once. Those of one guest share its golden run. */
export class PreparedCampaigns {
  private readonly campaigns = new Map<string, Promise<PreparedCampaign>>();
  private readonly goldens = new Map<string, Promise<GoldenTrack<MachineSnapshot>>>();

  /** Throws RMK_ERR_INPUT and RMK_ERR_GOLDEN, see {@link Campaign.prepare}. */
  get(source: CampaignSource): Promise<PreparedCampaign> {
    const key = JSON.stringify(source);
    const prepared = this.campaigns.get(key) ?? this.prepare(source);
    this.campaigns.set(key, prepared);
    return prepared;
  }

  private async prepare(source: CampaignSource): Promise<PreparedCampaign> {
    const planned = await planOf(source);
    const { guest, experiment } = planned;
    const key = goldenOf(source);
    const golden = this.goldens.get(key) ?? Campaign.golden(guest, experiment);
    this.goldens.set(key, golden);
    return { ...planned, campaign: await Campaign.prepare(guest, experiment, await golden) };
  }
}
