import type { Clint } from './clint.js';
import type { Finisher } from './finisher.js';
import type { Uart } from './uart.js';

/** What {@link DeviceBus.load} gives where nothing answers. */
export const ACCESS_FAULT = -1;

/** All guest-physical addresses outside RAM. */
export class DeviceBus {
  constructor(
    readonly clint: Clint,
    readonly uart: Uart,
    readonly finisher: Finisher,
  ) {}

  /** `address`: unsigned. `width`: 1, 2 or 4 bytes. Unsigned, or {@link ACCESS_FAULT}. */
  load(_address: number, _width: number, _cycles: number): number {
    return ACCESS_FAULT;
  }

  /** Whether a device took the store. */
  store(_address: number, _width: number, _value: number, _cycles: number): boolean {
    return false;
  }
}
