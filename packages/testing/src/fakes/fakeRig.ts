import type { Duration } from '@rmk/core';
import { DomainRig, WatchedDomain, type DomainRigOptions } from '../domainRig.js';
import { checkRigOptions } from '../rigOptions.js';
import { FakeMachine, type FakeMachineOptions } from './fakeMachine.js';
import { fakePins, type FakePins } from './fakePins.js';

export interface FakeRigOptions extends DomainRigOptions {
  /** The options of its VM, or the VM. */
  readonly machine?: FakeMachineOptions | FakeMachine;
}

/** A domain on a fake machine, with a fake of every pin that no plugin brings along. */
export class FakeRig extends DomainRig<FakeMachine> {
  constructor(
    machine: FakeMachine,
    watched: WatchedDomain,
    readonly pins: FakePins,
  ) {
    super(machine, watched);
  }

  /** Lets this much domain time pass. Timers due at its end fire when it continues. */
  advance(by: Duration): Promise<void> {
    return this.watchHold(this.machine.advance(by));
  }
}

/**
 * Starts plugins on fakes alone. Within a test of vitest the rig stops by itself, and the test fails if anything leaks.
 * Throws RMK_ERR_INPUT for invalid options, and what `createDomain` throws.
 */
export async function startFakeRig(options: FakeRigOptions): Promise<FakeRig> {
  checkRigOptions('startFakeRig', options);
  const { machine: given, plugins } = options;
  const machine = given instanceof FakeMachine ? given : new FakeMachine(given);
  const pins = fakePins();
  const brought = new Set(
    plugins.flatMap(({ definition }) => definition.provides?.map(({ token }) => token) ?? []),
  );
  const missing = Object.values<FakePins[keyof FakePins]>({ ...pins }).filter(
    ({ definition }) => !definition.provides?.some(({ token }) => brought.has(token)),
  );
  const watched = await WatchedDomain.create(machine, { ...options, plugins: [...missing, ...plugins] });
  return new FakeRig(machine, watched, pins);
}
