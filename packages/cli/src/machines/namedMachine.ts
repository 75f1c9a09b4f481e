import { basename } from 'node:path';
import { RmkError } from '@rmk/core';
import { findMachines, type FoundMachine } from '@rmk/hypervisor-qemu';

/**
 * The VM that a user names: by its name, or by the name of its folder where several VMs have that name. Throws
 * `RMK_ERR_INPUT` if no VM runs, or more than one.
 */
export async function namedMachine(named: string, parent?: string): Promise<FoundMachine> {
  const all = await findMachines(parent);
  const [found, ...others] = all.filter(({ name, folder }) => named === name || named === basename(folder));
  if (found === undefined) {
    const names = all.map(({ name }) => name).join(', ');
    throw new RmkError(
      'RMK_ERR_INPUT',
      `VM ${JSON.stringify(named)} not found. ${all.length === 0 ? 'No VM is running.' : `Choose one of ${names}.`}`,
    );
  }
  if (others.length === 0) return found;
  const folders = [found, ...others].map(({ folder }) => basename(folder)).join(', ');
  throw new RmkError(
    'RMK_ERR_INPUT',
    `several VMs have the name ${JSON.stringify(named)}. Name one by its folder: ${folders}.`,
  );
}
