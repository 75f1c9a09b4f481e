import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  definePlugin,
  hasCode,
  type Bus,
  type Clock,
  type Domain,
  type Manifest,
  type Module,
  type Plugin,
  type RmkError,
} from '@rmk/core';
import { createDomain, type DomainOptions } from '@rmk/kernel';
import { inject, injectable } from 'tsyringe';
import { ScriptedMachine } from './scriptedMachine.js';

/** A plugin of one module that does what `start` says. */
export function plugin(
  name: string,
  start: (bus: Bus, clock: Clock) => void | Promise<void> = () => {},
  manifest: Partial<Manifest> = {},
): Plugin {
  @injectable()
  class Scripted implements Module {
    constructor(
      @inject(BUS) private readonly bus: Bus,
      @inject(CLOCK) private readonly clock: Clock,
    ) {}

    start(): void | Promise<void> {
      return start(this.bus, this.clock);
    }
  }
  return definePlugin({ name, version: '1.0.0', rmk: '>=0.1.0', modules: [Scripted], ...manifest })();
}

/** A domain on a scripted machine. */
export async function domainOf(
  plugins: readonly Plugin[],
  options: Partial<DomainOptions> = {},
): Promise<{ readonly domain: Domain; readonly machine: ScriptedMachine }> {
  const machine = new ScriptedMachine();
  const domain = await createDomain({ name: 'test', machine, plugins, ...options });
  return { domain, machine };
}

/** The RmkError with which `promise` is rejected. */
export async function errorOf(promise: Promise<unknown>): Promise<RmkError> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (hasCode(thrown)) return thrown;
  throw new Error('expected an RmkError', { cause: thrown });
}
