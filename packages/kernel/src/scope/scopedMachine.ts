import { RmkError, type VirtualMachine } from '@rmk/core';
import { facadeOf } from './facade.js';
import { Sampling } from '../supervision/sampling.js';
import type { Scope } from './scope.js';
import { ScopedClock } from './scopedClock.js';

/**
 * The VM as one plugin sees it: its observers of facts are supervised (what one throws does not reach the driver) and
 * released with it, `suspended` is called when it has suspended or resumed the VM, and the hold stays the domain's. All
 * else is the driver's own, as long as the scope is not closed.
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
    observe: (fact, tell) => {
      const label = `fact ${fact}`;
      const sampling = new Sampling();
      return scope.register(label, () =>
        machine.observe(fact, (what) => scope.attempt(label, tell, what, sampling)),
      );
    },
    holdWhile: () => {
      throw new RmkError('RMK_ERR_STATE', `${scope.name}: the domain alone says when the VM is held`, {
        plugin: scope.name,
      });
    },
  };
  return facadeOf(machine, own, (name, method, given) => {
    scope.refuseWhenClosed(`call VIRTUAL_MACHINE.${name}`);
    return Reflect.apply(method, machine, given) as unknown;
  });
}
