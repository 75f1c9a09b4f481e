import 'reflect-metadata';
import { BUS, nanoseconds, OPTIONS, type Bus, type Module, type Nanoseconds } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { DEFAULT_SIGNS, type HangDetectorOptions } from './options.js';

/** A sign is missing after so many thresholds of busy time without it. */
const PATIENCE = 10;

/**
 * Warns once of signs that the guest never gives: without any the rule is not armed and detects nothing, and without
 * one that the user chose it sees fewer hangs than he expects. Of the default signs one is enough.
 */
@injectable()
export class MissingSigns implements Module {
  private readonly patienceNs: Nanoseconds;
  private readonly missing: Set<string>;
  private readonly isDefault: boolean;
  private busyNs: Nanoseconds = 0;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly options: HangDetectorOptions,
  ) {
    const { threshold, signs } = options;
    this.patienceNs = PATIENCE * nanoseconds(threshold);
    this.missing = new Set(signs);
    this.isDefault =
      signs.length === DEFAULT_SIGNS.length && DEFAULT_SIGNS.every((sign) => signs.includes(sign));
  }

  start(): void {
    const warning = this.bus.topic('EVT_WARNING');
    const subscription = this.bus.on('EVT_VMSCHEDULED', ({ atNs, cpuNs, haltedNs, progress }) => {
      for (const { sign } of progress) this.missing.delete(sign);
      this.busyNs += cpuNs + haltedNs;
      if (this.busyNs <= this.patienceNs) return;
      subscription[Symbol.dispose]();
      const message = this.message();
      if (message !== undefined) warning.publish({ atNs, code: 'RMK_WARN_SIGNS', message });
    });
  }

  private message(): string | undefined {
    const { missing } = this;
    const seen = this.options.signs.filter((sign) => !missing.has(sign));
    if (missing.size === 0 || (this.isDefault && seen.length > 0)) return undefined;
    const what = `no ${[...missing].join(' or ')} in ${this.busyNs / 1e6} ms of busy time`;
    const effect =
      seen.length === 0
        ? 'the hang rule is not armed and detects nothing'
        : `only ${seen.join(' and ')} counts as progress`;
    return `${what}: ${effect}. Choose \`signs\` that this guest gives, or name its current task (contextSwitch of the VM)`;
  }
}
