import type { MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { planCampaign, type PlannedCampaign } from './experimentFile.js';
import { planTable5 } from './table5.js';

/** Names a campaign, so that each worker thread can plan it for itself. */
export type CampaignSource =
  /** `protect`: on top of what the file has. */
  | { readonly file: string; readonly protect?: MicrocheckpointOptions }
  /** A row of table 5. */
  | { readonly table5: number };

/** Throws RMK_ERR_INPUT with every problem of the file and its path. */
export async function planOf(source: CampaignSource): Promise<PlannedCampaign> {
  return 'file' in source ? planCampaign(source.file, source.protect) : planTable5(source.table5);
}

/** Campaigns with the same guest have the same golden run. */
export function goldenOf(source: CampaignSource): string {
  return 'file' in source ? source.file : 'table5';
}
