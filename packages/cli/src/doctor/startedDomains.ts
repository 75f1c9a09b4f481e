import type { PluginStatus } from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import { planRun } from '../config/runPlan.js';

/** The plugins of a guest's domain, in start order, as they were when all had started. */
export interface StartedDomain {
  readonly guest: string;
  readonly plugins: readonly PluginStatus[];
}

/** Starts the domains of a config, runs no instruction of a guest, and stops them again. Throws what `rmk run` would. */
export async function startedDomains(config: string): Promise<readonly StartedDomain[]> {
  const { hypervisor, guests } = await planRun(config);
  try {
    const started: StartedDomain[] = [];
    for (const { name, plugins, standIn } of guests) {
      const { vm } = await standIn();
      const domain = await createDomain({ name, machine: vm, plugins });
      started.push({ guest: name, plugins: domain.plugins });
      await domain.stop();
    }
    return started;
  } finally {
    await hypervisor.close();
  }
}
