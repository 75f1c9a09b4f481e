import type { Domain, PluginStatus } from '@rmk/core';

/** A plugin as a line of the tree, below the deepest of the plugins it depends on; of equals, the latest started. */
interface Branch {
  readonly plugin: PluginStatus;
  readonly depth: number;
  readonly below: Branch[];
}

/**
 * Prints the plugins of a domain in start order, each below a plugin it depends on, with its version, its state, the
 * host time that its start took, what else it depends on, and why it failed or is quarantined.
 */
export function startTree({ name, plugins }: Pick<Domain, 'name' | 'plugins'>): string {
  const lines = linesOf(rootsOf(plugins), '');
  const width = Math.max(0, ...lines.map(({ title }) => title.length));
  const stateWidth = Math.max(0, ...plugins.map(({ state }) => state.length));
  const totalMs = plugins.reduce((sum, { startedInHostMs }) => sum + startedInHostMs, 0);
  const count = plugins.length === 1 ? '1 plugin' : `${plugins.length} plugins`;
  return [
    `${name}: ${count}, started in ${totalMs.toFixed(2)} ms`,
    ...lines.flatMap(({ title, indent, plugin }) => {
      const { state, startedInHostMs, dependsOn, reason } = plugin;
      const took = `${startedInHostMs.toFixed(2)} ms`.padStart(9);
      const others = dependsOn.length > 1 ? `  needs ${dependsOn.join(', ')}` : '';
      const line = `${title.padEnd(width)}  ${state.padEnd(stateWidth)} ${took}${others}`;
      return reason === undefined ? [line] : [line, `${indent}  ${reason}`];
    }),
  ].join('\n');
}

function rootsOf(plugins: readonly PluginStatus[]): readonly Branch[] {
  const branches = new Map<string, Branch>();
  const roots: Branch[] = [];
  for (const plugin of plugins) {
    const parent = [...branches.values()]
      .filter((one) => plugin.dependsOn.includes(one.plugin.name))
      .reduce<Branch | undefined>(
        (deepest, one) => (one.depth >= (deepest?.depth ?? 0) ? one : deepest),
        undefined,
      );
    const branch: Branch = { plugin, depth: (parent?.depth ?? 0) + 1, below: [] };
    (parent?.below ?? roots).push(branch);
    branches.set(plugin.name, branch);
  }
  return roots;
}

interface Line {
  readonly title: string;
  /** Prefix of the lines below it. */
  readonly indent: string;
  readonly plugin: PluginStatus;
}

function linesOf(branches: readonly Branch[], indent: string): readonly Line[] {
  return branches.flatMap(({ plugin, below }, index) => {
    const isLast = index === branches.length - 1;
    const title = `${indent}${isLast ? '└' : '├'}─ ${plugin.name} ${plugin.version}`;
    const deeper = `${indent}${isLast ? ' ' : '│'}  `;
    return [{ title, indent: deeper, plugin }, ...linesOf(below, deeper)];
  });
}
