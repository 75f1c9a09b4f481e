import 'reflect-metadata';
import { BUS, OPTIONS, type Bus, type Module, type Nanoseconds, type RmkEvent } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { HangDetectorOptions } from './options.js';

const SWITCH = 'context-switch';

/**
 * Hang detection by instruction count: more than `maxInstructions` between two context switches. It does not depend on
 * the speed of the guest's processor, and nothing but a switch resets it. It arms itself at the first switch.
 */
@injectable()
export class InstructionRule implements Module {
  /** Undefined until the rule is armed. */
  private lastSwitchNs: Nanoseconds | undefined;
  /** Executed since the last switch: no more than it was. */
  private executed = 0;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly options: HangDetectorOptions,
  ) {}

  start(): void {
    const { maxInstructions } = this.options;
    if (maxInstructions === undefined) return;
    const detected = this.bus.topic('EVT_ERRORDETECTED');
    // The same text each time, so that the recovery recognises the same hang.
    const cause = `no context switch in ${maxInstructions} instructions`;
    this.bus.on('EVT_VMSCHEDULED', (scheduled) => {
      this.account(scheduled);
      if (this.lastSwitchNs === undefined || this.executed <= maxInstructions) return;
      detected.publish({ atNs: scheduled.atNs, kind: 'hang', cause, suspectSinceNs: this.lastSwitchNs });
      // Without a recovery the guest goes on being hung: it is reported once each `maxInstructions`.
      this.executed = 0;
    });
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => {
      if (this.lastSwitchNs !== undefined) this.lastSwitchNs = atNs;
      this.executed = 0;
    });
    this.bus.on('EVT_VMRESTARTED', () => this.beginAgain());
    this.bus.on('EVT_VMREBOOTED', () => this.beginAgain());
  }

  /** The rule arms itself again at the first sign. */
  private beginAgain(): void {
    this.lastSwitchNs = undefined;
    this.executed = 0;
  }

  private account({ atNs, cpuNs, idleNs, instructions = 0, progress }: RmkEvent<'EVT_VMSCHEDULED'>): void {
    const switched = progress.find(({ sign }) => sign === SWITCH);
    if (switched === undefined) {
      if (this.lastSwitchNs !== undefined) this.executed += instructions;
      return;
    }
    this.lastSwitchNs = switched.atNs;
    // When in the stretch the VM was idle is not known: as if all of it came after the switch.
    const busySinceNs = Math.max(0, atNs - switched.atNs - idleNs);
    this.executed = cpuNs === 0 ? 0 : instructions * Math.min(1, busySinceNs / cpuNs);
  }
}
