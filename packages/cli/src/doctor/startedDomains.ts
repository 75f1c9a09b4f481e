import { messageOf, type PluginStatus } from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import { ACCEPTED_RISK, type DetectorRisk } from '@rmk/checkpoint';
import { planRun } from '../config/runPlan.js';
import { acceptedRisk, domainRisks } from './domainRisks.js';

/** A guest's domain when all of its plugins had started, or why they did not. */
export interface StartedDomain {
  readonly guest: string;
  /** In start order. */
  readonly plugins: readonly PluginStatus[];
  /** How likely the rollback target of each detector's errors holds the error. */
  readonly risks: readonly DetectorRisk[];
  /** What the config accepts of that. */
  readonly acceptedRisk: number;
  /** Why the domain cannot be created, or not be stopped. */
  readonly problem?: string;
}

/**
 * Starts the domains of a config, runs no instruction of a guest, and stops them again. A domain that fails hides
 * nothing of the others. Throws RMK_ERR_INPUT for a config that is invalid.
 */
export async function startedDomains(config: string): Promise<readonly StartedDomain[]> {
  const { hypervisor, guests, domains } = await planRun(config);
  try {
    const started: StartedDomain[] = [];
    for (const { name, plugins, standIn } of guests) {
      let statuses: readonly PluginStatus[] = [];
      let risks: readonly DetectorRisk[] = [];
      let accepted = ACCEPTED_RISK;
      try {
        const { vm } = await standIn();
        const domain = await createDomain({ name, machine: vm, plugins, ...domains });
        try {
          statuses = domain.plugins;
          risks = domainRisks(domain);
          accepted = acceptedRisk(plugins);
        } finally {
          await domain.stop();
        }
        started.push({ guest: name, plugins: statuses, risks, acceptedRisk: accepted });
      } catch (error) {
        started.push({
          guest: name,
          plugins: statuses,
          risks,
          acceptedRisk: accepted,
          problem: messageOf(error),
        });
      }
    }
    return started;
  } finally {
    await hypervisor.close();
  }
}
