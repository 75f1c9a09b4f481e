import 'reflect-metadata';
import {
  BUS,
  OPTIONS,
  RmkError,
  VIRTUAL_MACHINE,
  type Bus,
  type Module,
  type VirtualMachine,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { PluginNamePin } from './pin.js';
import type { PluginNameOptions } from './options.js';

/** Wraps one capability of the hypervisor, the reading of a register, and says so to all. It decides nothing. */
@injectable()
export class PluginName implements PluginNamePin, Module {
  readonly register: string;

  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) options: PluginNameOptions,
  ) {
    this.register = options.register;
  }

  start(): void {
    const { registers } = this.machine;
    if (registers.includes(this.register)) return;
    throw new RmkError(
      'RMK_ERR_OPTIONS',
      `options.register: the machine has no ${JSON.stringify(this.register)}, it has ${registers.join(', ')}`,
    );
  }

  async sample(): Promise<bigint> {
    const value = await this.machine.readRegister(this.register);
    this.bus.topic('EVT_PLUGINNAMESAMPLED').publish({ atNs: this.machine.clock.now(), value });
    return value;
  }
}
