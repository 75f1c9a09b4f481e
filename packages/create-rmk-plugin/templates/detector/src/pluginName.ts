import 'reflect-metadata';
import { BUS, nanoseconds, OPTIONS, type Bus, type Module, type RmkEvent } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { PluginNameOptions } from './options.js';

/** Reads what the guest puts out, and reports an error when it is the text. */
@injectable()
export class PluginName implements Module {
  /** The end of the output so far, as long as the text may begin in it. */
  private unfinished = '';

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly options: PluginNameOptions,
  ) {}

  start(): void {
    this.bus.on('EVT_VMOUTPUT', (output) => this.read(output));
    // What was put out since has not happened.
    this.bus.on('EVT_ROLLEDBACK', () => this.forget());
    this.bus.on('EVT_VMRESTARTED', () => this.forget());
  }

  private read({ atNs, device, data }: RmkEvent<'EVT_VMOUTPUT'>): void {
    const { text } = this.options;
    if (device !== this.options.device) return;
    const output = this.unfinished + Buffer.from(data).toString('latin1');
    const found = output.includes(text);
    this.unfinished = found ? '' : output.slice(Math.max(0, output.length - text.length + 1));
    if (!found) return;
    this.bus.topic('EVT_PLUGINNAMESEEN').publish({ atNs, device });
    this.bus.topic('EVT_ERRORDETECTED').publish({
      atNs,
      kind: 'panic',
      cause: `${JSON.stringify(text)} on ${device}`,
      // Before that the guest was healthy: recovery goes to a checkpoint that is as old.
      suspectSinceNs: Math.max(0, atNs - nanoseconds(this.options.within)),
    });
  }

  private forget(): void {
    this.unfinished = '';
  }
}
