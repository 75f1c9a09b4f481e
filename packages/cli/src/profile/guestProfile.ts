import type { Facts, Nanoseconds, VirtualMachine } from '@rmk/core';
import { BeatMatcher } from '@rmk/heartbeat-detector';
import { Gaps } from './gaps.js';

const SWITCH = 'context-switch';
const WEAK_SIGN = 'timer-rearmed';

/** Time in which the guest was not idle since the last sign of some kinds, as the hang detector counts it. */
class SignGaps {
  readonly gaps = new Gaps();
  private silentNs: Nanoseconds | undefined;

  constructor(private readonly signs: ReadonlySet<string>) {}

  account({ atNs, cpuNs, idleNs, haltedNs, progress }: Facts['scheduled']): void {
    const lastNs = lastOf(this.signs, progress);
    const busyNs = cpuNs + haltedNs;
    if (lastNs === undefined) {
      if (this.silentNs !== undefined) this.silentNs += busyNs;
      return;
    }
    const beganNs = atNs - busyNs - idleNs;
    // When in the stretch the guest was idle is not known: as if none of it came before the sign.
    if (this.silentNs !== undefined) this.gaps.add(this.silentNs + Math.min(busyNs, lastNs - beganNs));
    this.silentNs = Math.min(busyNs, atNs - lastNs);
  }

  end(): void {
    if (this.silentNs !== undefined) this.gaps.addOpen(this.silentNs);
  }
}

/** Instructions between two context switches. */
class InstructionGaps {
  readonly gaps = new Gaps();
  private executed: number | undefined;

  account({ atNs, cpuNs, idleNs, haltedNs, instructions, progress }: Facts['scheduled']): void {
    if (instructions === undefined) return;
    const switchNs = lastOf(new Set([SWITCH]), progress);
    if (switchNs === undefined) {
      if (this.executed !== undefined) this.executed += instructions;
      return;
    }
    const beganNs = atNs - cpuNs - idleNs - haltedNs;
    const share = (spanNs: Nanoseconds): number => (cpuNs === 0 ? 1 : Math.min(1, spanNs / cpuNs));
    if (this.executed !== undefined)
      this.gaps.add(this.executed + Math.ceil(instructions * share(switchNs - beganNs)));
    this.executed = Math.ceil(instructions * share(atNs - switchNs));
  }

  end(): void {
    if (this.executed !== undefined) this.gaps.addOpen(this.executed);
  }
}

/** Domain time, idle or not, between two beats on a device. */
class BeatGaps {
  readonly gaps = new Gaps();
  private readonly beats: BeatMatcher;
  private lastNs: Nanoseconds | undefined;

  constructor(beat: Uint8Array) {
    this.beats = new BeatMatcher(beat);
  }

  add({ atNs, data }: Facts['output']): void {
    if (!this.beats.endsIn(data)) return;
    if (this.lastNs !== undefined) this.gaps.add(atNs - this.lastNs);
    this.lastNs = atNs;
  }

  end(atNs: Nanoseconds): void {
    if (this.lastNs !== undefined) this.gaps.addOpen(atNs - this.lastNs);
  }
}

/** What the detectors of a guest count. */
export interface CountedLife {
  /** The signs of the hang detector. */
  readonly signs: readonly string[];
  /** By device: the bytes of a beat. Any output on the others. */
  readonly beats: ReadonlyMap<string, Uint8Array>;
}

/** Watches a guest: the gaps between its signs of progress, and between its beats. */
export class GuestProfile {
  readonly signs = new Map<string, SignGaps>();
  readonly devices = new Map<string, BeatGaps>();
  readonly instructions = new InstructionGaps();
  idleNs: Nanoseconds = 0;
  busyNs: Nanoseconds = 0;
  private readonly ruleSigns: readonly string[];
  private readonly strong: SignGaps;
  private readonly all: SignGaps;
  private endedNs: Nanoseconds | undefined;

  constructor(
    private readonly machine: VirtualMachine,
    { signs: ruleSigns, beats }: CountedLife,
  ) {
    this.ruleSigns = ruleSigns;
    this.strong = new SignGaps(new Set(ruleSigns.filter((sign) => sign !== WEAK_SIGN)));
    this.all = new SignGaps(new Set(ruleSigns));
    machine.observe('scheduled', (fact) => this.account(fact));
    machine.observe('output', (fact) => {
      const { device } = fact;
      const gaps = this.devices.get(device) ?? new BeatGaps(beats.get(device) ?? new Uint8Array(0));
      this.devices.set(device, gaps);
      gaps.add(fact);
    });
    machine.observe('exited', ({ atNs }) => this.end(atNs));
    machine.observe('gone', ({ atNs }) => this.end(atNs));
  }

  get domainNs(): Nanoseconds {
    return this.endedNs ?? this.machine.clock.now();
  }

  /** Whether the guest ended before its profile. */
  get ended(): boolean {
    return this.endedNs !== undefined;
  }

  /** The signs of the rule that this guest gives: without the re-armed timer where it gives a better one. */
  get rule(): { readonly signs: readonly string[]; readonly gaps: Gaps } {
    const seen = this.ruleSigns.filter((sign) => this.signs.has(sign));
    const better = seen.filter((sign) => sign !== WEAK_SIGN);
    return better.length > 0
      ? { signs: better, gaps: this.strong.gaps }
      : { signs: seen, gaps: this.all.gaps };
  }

  /** Closes the gaps that are open. */
  finish(): void {
    if (this.endedNs !== undefined) return;
    for (const gaps of [...this.signs.values(), this.strong, this.all, this.instructions]) gaps.end();
    for (const gaps of this.devices.values()) gaps.end(this.domainNs);
  }

  /** A guest that has ended owes no sign. */
  private end(atNs: Nanoseconds): void {
    this.endedNs ??= atNs;
  }

  private account(fact: Facts['scheduled']): void {
    this.idleNs += fact.idleNs;
    this.busyNs += fact.cpuNs + fact.haltedNs;
    for (const { sign } of fact.progress) {
      if (!this.signs.has(sign)) this.signs.set(sign, new SignGaps(new Set([sign])));
    }
    for (const gaps of [...this.signs.values(), this.strong, this.all, this.instructions]) gaps.account(fact);
  }
}

function lastOf(
  signs: ReadonlySet<string>,
  progress: Facts['scheduled']['progress'],
): Nanoseconds | undefined {
  let lastNs: Nanoseconds | undefined;
  for (const { sign, atNs } of progress) {
    if (signs.has(sign) && (lastNs === undefined || atNs > lastNs)) lastNs = atNs;
  }
  return lastNs;
}
