import 'reflect-metadata';
import {
  BUS,
  OPTIONS,
  VIRTUAL_MACHINE,
  type Bus,
  type Module,
  type SignalPin,
  type VirtualMachine,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { isCrash } from './crashTable.js';
import type { SignalOptions } from './options.js';
import { RepeatedCrashes } from './repeatedCrashes.js';

/**
 * P_VMSIGNAL over the VirtualMachine port: every signal is published, and a crash as a detected error too. A reboot is
 * the guest's own will, unless the options call it a crash.
 */
@injectable()
export class Signals implements SignalPin, Module {
  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly options: SignalOptions,
  ) {}

  start(): void {
    const signal = this.bus.topic('EVT_VMSIGNAL');
    const detected = this.bus.topic('EVT_ERRORDETECTED');
    const warning = this.bus.topic('EVT_WARNING');
    const rebooted = this.bus.topic('EVT_VMREBOOTED');
    const { ordinary, reboot } = this.options;
    const repeated = new RepeatedCrashes();
    this.machine.observe('rebooted', (fact) => {
      if (reboot === 'allow') rebooted.publish(fact);
      else detected.publish({ atNs: fact.atNs, kind: 'crash', cause: 'reboot by the guest' });
    });
    this.machine.observe('signal', (fact) => {
      const { atNs, cause, privilege } = fact;
      signal.publish(fact);
      if (!isCrash(fact, ordinary)) return;
      const hint = repeated.hintAt(fact);
      if (hint !== undefined) warning.publish({ atNs, code: 'RMK_WARN_CRASHTABLE', message: hint });
      detected.publish({ atNs, kind: 'crash', cause: `${cause} in ${privilege} mode` });
    });
  }

  get signals(): readonly string[] {
    return this.machine.signals;
  }

  raise(cause: string): Promise<void> {
    return this.machine.raise(cause);
  }
}
