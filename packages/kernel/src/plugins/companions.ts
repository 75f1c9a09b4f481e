import type { Plugin } from '@rmk/core';
import { isPlugin } from './manifest.js';

/** `plugins`, each after those of its companions that are neither given, nor installed, nor brought by another one. */
export function withCompanions(plugins: readonly Plugin[], installed: readonly string[]): readonly Plugin[] {
  const names = new Set<string | undefined>([...installed, ...plugins.map(nameOf)]);
  const all: Plugin[] = [];
  const add = (plugin: Plugin): void => {
    for (const companion of companionsOf(plugin)) {
      const name = nameOf(companion);
      if (names.has(name)) continue;
      names.add(name);
      add(companion);
    }
    all.push(plugin);
  };
  plugins.forEach(add);
  return all;
}

function nameOf(plugin: unknown): string | undefined {
  const { name } = definitionOf(plugin);
  return typeof name === 'string' ? name : undefined;
}

function companionsOf(plugin: unknown): readonly Plugin[] {
  try {
    const { companions } = definitionOf(plugin);
    // A malformed companion is a problem of the manifest that names it.
    return Array.isArray(companions) ? [...(companions as readonly unknown[])].filter(isPlugin) : [];
  } catch {
    return [];
  }
}

/**
 * Nothing has checked the plugin yet: what is malformed has neither name nor companions, and is reported by the check.
 */
function definitionOf(plugin: unknown): { readonly name?: unknown; readonly companions?: unknown } {
  try {
    const { definition } = plugin as Plugin;
    const { name, companions } = definition;
    return { name, companions };
  } catch {
    return {};
  }
}
