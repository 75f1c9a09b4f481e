import 'reflect-metadata';
import { EventEmitter as NodeEventEmitter } from 'node:events';
import { BUS, definePlugin, type Bus, type Plugin } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import Emittery from 'emittery';
import { EventEmitter } from 'eventemitter3';
import mittModule from 'mitt';
import { createNanoEvents } from 'nanoevents';
import { inject, injectable } from 'tsyringe';
import type { BenchEvent, Listener } from './load.js';

/** An emitter with its listeners, and how to publish to it. */
export type Wired = { readonly close?: () => Promise<void> } & (
  | { readonly emit: (event: BenchEvent) => void; readonly emitAwaited?: never }
  /** The emitter calls its listeners later. The measurement ends when all of them have returned. */
  | { readonly emitAwaited: (event: BenchEvent) => Promise<void>; readonly emit?: never }
);

/**
 * Its types describe the CommonJS build; what is loaded here is the ES module, whose default export is the function.
 */
const mitt = mittModule as unknown as (typeof mittModule)['default'];

const NAME = 'EVT_VMEXITED';

/** Makes an emitter of its kind with these listeners. */
type Wire = (listeners: readonly Listener[]) => Wired | Promise<Wired>;

export const EMITTERS = {
  rmk,

  eventemitter3(listeners: readonly Listener[]): Wired {
    const emitter = new EventEmitter();
    for (const listener of listeners) emitter.on(NAME, listener);
    return { emit: (event) => void emitter.emit(NAME, event) };
  },

  'node:events'(listeners: readonly Listener[]): Wired {
    const emitter = new NodeEventEmitter();
    emitter.setMaxListeners(0);
    for (const listener of listeners) emitter.on(NAME, listener);
    return { emit: (event) => void emitter.emit(NAME, event) };
  },

  mitt(listeners: readonly Listener[]): Wired {
    const emitter = mitt<{ [NAME]: BenchEvent }>();
    for (const listener of listeners) emitter.on(NAME, listener);
    return { emit: (event) => emitter.emit(NAME, event) };
  },

  nanoevents(listeners: readonly Listener[]): Wired {
    const emitter = createNanoEvents<{ [NAME]: Listener }>();
    for (const listener of listeners) emitter.on(NAME, listener);
    return { emit: (event) => emitter.emit(NAME, event) };
  },

  emittery(listeners: readonly Listener[]): Wired {
    const emitter = new Emittery<{ [NAME]: BenchEvent }>();
    for (const listener of listeners) emitter.on(NAME, listener);
    return { emitAwaited: (event) => emitter.emit(NAME, event) };
  },
} satisfies Readonly<Record<string, Wire>>;

export type EmitterName = keyof typeof EMITTERS;

export type Emitters = Readonly<Record<EmitterName, Wire>>;

const SUBSCRIBING_PLUGINS = 4;

/**
 * The bus of a real domain: one plugin publishes, and the listeners are spread over several others. Isolation and
 * supervision are as in every domain.
 */
async function rmk(listeners: readonly Listener[]): Promise<Wired> {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({ name: 'bench', elf: readGuest('tasks') });
  const buses: Bus[] = [];
  const subscribers = Array.from({ length: SUBSCRIBING_PLUGINS }, (_, i) =>
    subscriber(
      `rmk-plugin-bench-subscriber-${i}`,
      listeners.filter((_listener, index) => index % SUBSCRIBING_PLUGINS === i),
    ),
  );
  const plugins = [...subscribers, publisher((bus) => void buses.push(bus))];
  const domain = await createDomain({ name: 'bench', machine, plugins });
  const [bus = domain.bus] = buses;
  const topic = bus.topic(NAME);
  return {
    emit: (event) => topic.publish(event),
    async close() {
      await domain.stop();
      await hypervisor.close();
    },
  };
}

function subscriber(name: string, listeners: readonly Listener[]): Plugin {
  @injectable()
  class Subscriber {
    constructor(@inject(BUS) private readonly bus: Bus) {}

    start(): void {
      for (const listener of listeners) this.bus.on(NAME, listener);
    }
  }
  return definePlugin({ name, version: '1.0.0', rmk: '^0.2.0', modules: [Subscriber] })();
}

function publisher(give: (bus: Bus) => void): Plugin {
  @injectable()
  class Publisher {
    constructor(@inject(BUS) private readonly bus: Bus) {}

    start(): void {
      give(this.bus);
    }
  }
  const name = 'rmk-plugin-bench-publisher';
  return definePlugin({ name, version: '1.0.0', rmk: '^0.2.0', modules: [Publisher] })();
}
