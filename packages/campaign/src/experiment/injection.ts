import { nanoseconds, RmkError } from '@rmk/core';
import type { Injected } from '../fault/faultKind.js';
import type { InjectionTarget } from '../fault/injectionTarget.js';
import type { DrawnExperiment } from './drawnExperiment.js';
import type { ExperimentMachine, GuestUnderTest, Lone, Snapshot } from './experimentMachine.js';

/** What recovery is made to work by, where a fault waits for one. */
const PRIMARY = 'illegal-instruction';

export function raisePrimary(machine: ExperimentMachine<Snapshot>): Promise<void> {
  return machine.raise(PRIMARY);
}

export function injectInto<S extends Snapshot>(
  guest: GuestUnderTest<S>,
  { fault }: DrawnExperiment,
  lone: Lone<S>,
  advances = true,
): Promise<Injected | void> {
  return fault.inject(targetOf(guest, lone, advances));
}

/** `advances`: not in the middle of an event, where the guest is held. */
export function targetOf<S extends Snapshot>(
  guest: GuestUnderTest<S>,
  lone: Lone<S>,
  advances = true,
): InjectionTarget {
  const { machine } = lone;
  return {
    machine,
    cycleNs: guest.cycleNs,
    symbol: (name) => guest.symbol(name) ?? missing(name),
    advance: (by) => {
      if (advances) return lone.run({ untilNs: machine.clock.now() + nanoseconds(by) });
      throw new RmkError(
        'RMK_ERR_INPUT',
        'this fault has to let the guest run, which it cannot in the middle of an event, checkpoint or rollback. ' +
          'Choose another trigger for it.',
      );
    },
  };
}

function missing(name: string): never {
  throw new RmkError('RMK_ERR_UNKNOWN', `the guest has no symbol ${name}; name one that its ELF has`);
}
