import { RmkError, type Domain, type VirtualMachine } from '@rmk/core';

/** The owner of each VM: the domain that has not stopped. Two owners would overwrite each other's hold. */
const owners = new WeakMap<VirtualMachine, Domain>();

/** Throws RMK_ERR_STATE if the VM belongs to a domain already. */
export function claimMachine(machine: VirtualMachine, domain: Domain): void {
  const owner = owners.get(machine);
  if (owner === undefined) {
    owners.set(machine, domain);
    return;
  }
  throw new RmkError(
    'RMK_ERR_STATE',
    `the VM ${machine.name} belongs to the domain ${owner.name}: stop that one before ${domain.name} is made, or give ${domain.name} a VM of its own`,
  );
}

/** Does nothing if another domain owns the VM by now. */
export function releaseMachine(machine: VirtualMachine, domain: Domain): void {
  if (owners.get(machine) === domain) owners.delete(machine);
}
