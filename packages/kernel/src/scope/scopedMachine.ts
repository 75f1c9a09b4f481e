import { RmkError, type VirtualMachine } from '@rmk/core';
import { facadeOf } from './facade.js';
import { Sampling } from '../supervision/sampling.js';
import type { Scope } from './scope.js';
import { ScopedClock } from './scopedClock.js';

/**
 * The VM as one plugin sees it. Its fact observers are supervised (what one throws does not reach the driver) and
 * released with it. `suspended` is called after it suspended or resumed the VM. Only the domain sets the hold.
 * Everything else is the driver's own, until the scope closes.
 */
export function scopedMachine(
  machine: VirtualMachine,
  scope: Scope,
  suspended: (isSuspended: boolean) => void,
): VirtualMachine {
  const own: Pick<VirtualMachine, 'clock' | 'observe' | 'holdWhile' | 'suspend' | 'resume'> = {
    clock: new ScopedClock(machine.clock, scope),
    suspend: () => {
      scope.refuseWhenClosed('call VIRTUAL_MACHINE.suspend');
      return machine.suspend().then(() => suspended(true));
    },
    resume: () => {
      scope.refuseWhenClosed('call VIRTUAL_MACHINE.resume');
      return machine.resume().then(() => suspended(false));
    },
    observe: (fact, observer) => {
      const label = `fact ${fact}`;
      const sampling = new Sampling();
      return scope.register(label, () =>
        machine.observe(fact, (what) => scope.attempt(label, observer, what, sampling)),
      );
    },
    holdWhile: () => {
      throw new RmkError(
        'RMK_ERR_STATE',
        `${scope.name}: only the domain holds the VM. Return a promise from a handler to hold it`,
        {
          plugin: scope.name,
        },
      );
    },
  };
  return facadeOf(machine, own, (name, method, given) => {
    scope.refuseWhenClosed(`call VIRTUAL_MACHINE.${name}`);
    return Reflect.apply(method, machine, given) as unknown;
  });
}
