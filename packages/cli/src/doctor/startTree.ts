import type { PluginStatus } from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import { planRun } from '../config/runPlan.js';

/** The plugins of a guest's domain, in start order. */
export interface StartTree {
  readonly guest: string;
  readonly plugins: readonly PluginStatus[];
}

/** Starts the domains of a config, runs no instruction of a guest, and stops them again. Throws what `rmk run` would. */
export async function startTrees(config: string): Promise<readonly StartTree[]> {
  const { hypervisor, guests } = await planRun(config);
  try {
    const trees: StartTree[] = [];
    for (const { machine, plugins } of guests) {
      const domain = await createDomain({ name: machine.name, machine, plugins });
      trees.push({ guest: machine.name, plugins: domain.plugins });
      await domain.stop();
    }
    return trees;
  } finally {
    await hypervisor.close();
  }
}
