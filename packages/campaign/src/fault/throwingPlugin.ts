import 'reflect-metadata';
import { BUS, definePlugin, type Bus, type EventName, type Plugin } from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** A plugin that throws each time that an event is published. */
export function throwingPlugin(during: EventName): Plugin {
  @injectable()
  class Throwing {
    constructor(@inject(BUS) private readonly bus: Bus) {}

    start(): void {
      this.bus.on(during, () => {
        throw new Error(`a fault that was injected at ${during}`);
      });
    }
  }
  return definePlugin({
    name: '@rmk/throwing-plugin',
    version: '0.2.0',
    rmk: '^0.2.0',
    modules: [Throwing],
  })();
}
