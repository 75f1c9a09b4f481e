import { Campaign, readJournal, type ExperimentRecord } from '@rmk/campaign';
import { RmkError } from '@rmk/core';
import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import { planCampaign, type PlannedCampaign } from './experimentFile.js';

/** An experiment of a journal, ready to be run again. */
export interface JournalledExperiment extends PlannedCampaign {
  readonly campaign: Campaign<MachineSnapshot>;
  readonly recorded: ExperimentRecord;
}

/** Throws RMK_ERR_INPUT for a number that the journal does not hold, RMK_ERR_JOURNAL if its experiment file changed. */
export async function journalledExperiment(path: string, number: number): Promise<JournalledExperiment> {
  const { header, records } = readJournal(path);
  const recorded = records.find((record) => record.number === number);
  if (recorded === undefined)
    throw new RmkError('RMK_ERR_INPUT', `${path} holds no experiment ${number}; it holds ${records.length}.`);
  const planned = await planCampaign(header.experiment);
  if (planned.digest !== header.digest)
    throw new RmkError(
      'RMK_ERR_JOURNAL',
      `${header.experiment} is no longer the experiment of ${path}. Restore it, or name the journal of this one.`,
    );
  return { ...planned, recorded, campaign: await Campaign.prepare(planned.guest, planned.experiment) };
}
