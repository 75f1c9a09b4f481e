import { RmkError, type VirtualMachine } from '@rmk/core';
import type { Scope } from './scope.js';
import { ScopedClock } from './scopedClock.js';

/**
 * The VM as one plugin sees it: its observers of facts are supervised (what one throws does not reach the driver) and
 * released with it, and the hold stays the domain's. All else is the driver's own.
 */
export function scopedMachine(machine: VirtualMachine, scope: Scope): VirtualMachine {
  const own: Pick<VirtualMachine, 'clock' | 'observe' | 'holdWhile'> = {
    clock: new ScopedClock(machine.clock, scope),
    observe: (fact, tell) => {
      const label = `fact ${fact}`;
      return scope.register(label, () => machine.observe(fact, (what) => scope.attempt(label, tell, what)));
    },
    holdWhile: () => {
      throw new RmkError('RMK_ERR_STATE', `${scope.name}: the domain alone says when the VM is held`, {
        plugin: scope.name,
      });
    },
  };
  return new Proxy<VirtualMachine>(Object.create(machine), {
    get(_, property) {
      if (Object.hasOwn(own, property)) return Reflect.get(own, property) as unknown;
      // Not through the proxy: a driver's private fields are out of its reach.
      const value: unknown = Reflect.get(machine, property, machine);
      return typeof value === 'function' ? (value.bind(machine) as unknown) : value;
    },
  });
}
