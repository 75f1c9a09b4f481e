import { RmkError } from '@rmk/core';

/** The RAM of a VM: guest-physical addresses. */
export interface AddressRange {
  readonly begin: number;
  readonly bytes: number;
}

/** The offset of `address` in `ram`. Throws `RMK_ERR_ADDRESS` unless all `bytes` from there lie in `ram`. */
export function offsetIn(ram: AddressRange, address: number, bytes: number, vm: string): number {
  const offset = address - ram.begin;
  const isRange = Number.isInteger(offset) && Number.isInteger(bytes) && offset >= 0 && bytes >= 0;
  if (isRange && offset + bytes <= ram.bytes) return offset;
  throw new RmkError(
    'RMK_ERR_ADDRESS',
    `${bytes} bytes at 0x${address.toString(16)} do not lie in the RAM of VM ${JSON.stringify(vm)} ` +
      `(0x${ram.begin.toString(16)} to 0x${(ram.begin + ram.bytes - 1).toString(16)})`,
  );
}
