import type { Bus, Facts, Nanoseconds } from '@rmk/core';
import type { ExperimentRecord } from './experimentRecord.js';

const UNEXPECTED = [
  'EVT_PLUGINFAULT',
  'EVT_PLUGINQUARANTINED',
  'EVT_PROTECTIONLOST',
  'EVT_CHECKPOINTLOST',
] as const;

/** Keeps what happens in a domain from the injection on. */
export class Observation {
  readonly recoveries: ExperimentRecord['recoveries'][number][] = [];
  readonly recoveryHostNs: number[] = [];
  readonly unexpected: string[] = [];
  detection: ExperimentRecord['detection'];
  detections = 0;
  gaveUp = false;
  wrongWire = false;
  private injectedAtNs: Nanoseconds | undefined;
  private isOver = false;

  constructor(
    private readonly machine: { readonly instructions: number },
    private readonly golden: Uint8Array,
  ) {}

  get restarts(): number {
    return this.recoveries.filter(({ rung }) => rung === 'restart').length;
  }

  observe(bus: Bus): void {
    bus.on('EVT_ERRORDETECTED', ({ atNs, kind, cause, source }) => {
      if (this.injectedAtNs === undefined) {
        this.unexpected.push(`${kind} detected by ${source} before the injection (${cause})`);
        return;
      }
      this.detections++;
      this.detection ??= {
        kind,
        cause,
        by: source,
        latencyNs: atNs - this.injectedAtNs,
        instructions: this.machine.instructions,
      };
    });
    bus.on('EVT_RECOVERED', ({ record: { rung, pagesRestored, workLostNs, durationHostNs } }) => {
      this.recoveries.push({ rung, pagesRestored, ...(workLostNs === undefined ? {} : { workLostNs }) });
      this.recoveryHostNs.push(durationHostNs);
    });
    bus.on('EVT_RECOVERYFAILED', ({ givenUp }) => void (this.gaveUp ||= givenUp));
    for (const name of UNEXPECTED)
      bus.on(name, () => {
        if (!this.isOver) this.unexpected.push(name);
      });
  }

  /** What the end of the domain causes is no finding. */
  over(): void {
    this.isOver = true;
  }

  injected(atNs: Nanoseconds): void {
    this.injectedAtNs = atNs;
  }

  output({ data, position }: Facts['output']): void {
    this.wrongWire ||= Buffer.compare(data, this.golden.subarray(position, position + data.length)) !== 0;
  }
}
