import { CORE_EVENTS, RmkError, type EventName } from '@rmk/core';
import type { InstalledPlugin } from '../plugins/installedPlugin.js';
import { nearest } from '../plugins/nearest.js';

/** The events that a domain knows: those of core, of the host, and of the plugins that are installed. */
export class DeclaredEvents {
  private readonly known: ReadonlySet<string>;

  constructor(
    private readonly plugins: readonly InstalledPlugin[],
    ofHost: readonly EventName[],
  ) {
    this.known = new Set([...CORE_EVENTS, ...ofHost]);
  }

  /** Throws RMK_ERR_EVENT if nobody declares `name`, which `plugin` publishes or subscribes to. */
  refuseUndeclared(name: EventName, plugin: string): void {
    if (this.known.has(name) || this.ofPlugins().includes(name)) return;
    const meant = nearest(name, [...this.known, ...this.ofPlugins()]);
    const fix =
      meant === undefined
        ? 'name it in the `events` of the manifest (in those of createDomain for the host), or install the plugin that does'
        : `did you mean ${meant}?`;
    throw new RmkError(
      'RMK_ERR_EVENT',
      `${plugin}: neither RMK nor a plugin of the domain declares the event ${name}: ${fix}`,
      { plugin },
    );
  }

  private ofPlugins(): readonly string[] {
    return this.plugins.flatMap(({ checked }) => checked.definition.events ?? []);
  }
}
