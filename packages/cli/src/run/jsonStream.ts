import { isUtf8 } from 'node:buffer';
import { RMK_VERSION, type Diagnostic, type EventName, type Facts, type RmkEvent } from '@rmk/core';
import type { OutputPlan } from '../config/runPlan.js';
import { lineJson } from './lineJson.js';
import type { GuestProgress, RunObserver } from './runObserver.js';
import { exitCodeOf, type RunSummary } from './runSummary.js';

/** Reports a run to machines: one JSON object a line, the first `started`, the last `summary`. */
export class JsonStream implements RunObserver {
  constructor(
    private readonly out: (text: string) => void,
    private readonly outputPlan: OutputPlan,
  ) {}

  started(guests: readonly GuestProgress[]): void {
    this.write({
      event: 'started',
      rmk: RMK_VERSION,
      guests: guests.map(({ name, memoryBytes, plugins, attached }) => ({
        guest: name,
        memoryBytes,
        plugins,
        ...(attached ? { attached } : {}),
      })),
    });
  }

  output(guest: string, { atNs, data, ...fact }: Facts['output']): void {
    if (this.outputPlan !== 'show') return;
    const payload = { ...fact, ...dataJson(data) };
    this.write({ event: 'EVT_VMOUTPUT', guest, atNs, source: 'hypervisor', payload });
  }

  event<E extends EventName>(guest: string, name: E, event: RmkEvent<E>): void {
    const { atNs, source, sequence: _, ...payload } = event;
    this.write({ event: name, guest, atNs, source, payload });
  }

  diagnostic(payload: Diagnostic): void {
    this.write({ event: 'diagnostic', payload });
  }

  ended(summary: RunSummary): void {
    this.write({ event: 'summary', exitCode: exitCodeOf(summary), ...summary });
  }

  private write(line: object): void {
    this.out(`${lineJson(line)}\n`);
  }
}

/** Output as text; where it is not UTF-8, as base64 as well, since the text has lost something then. */
function dataJson(data: Uint8Array): object {
  const text = new TextDecoder().decode(data);
  return isUtf8(data) ? { text } : { text, base64: Buffer.from(data).toString('base64') };
}
