/** Input that a device gets, with the guest time at which it arrives. */
export interface InputChunk {
  readonly atCycle: number;
  readonly data: Uint8Array;
}

/** All input that has arrived or is foreseen. */
export interface InputState {
  readonly chunks: readonly InputChunk[];
  readonly lastReceived: number;
}

/**
 * All input of one device, keyed to guest time: what a script foresees and what came while the guest ran. A rollback
 * turns the cursor back, so that the guest receives again, at the same guest time, what it had read since.
 */
export class InputLog {
  private readonly chunks: InputChunk[] = [];
  private chunk = 0;
  private offset = 0;
  private taken = 0;
  /** When the newest of what came while the guest ran arrived. */
  private lastReceived = 0;

  constructor(script: readonly InputChunk[] = []) {
    for (const { atCycle, data } of script) this.insert(atCycle, data);
  }

  /** Bytes that the device has taken: the position that a context keeps. */
  get cursor(): number {
    return this.taken;
  }

  set cursor(taken: number) {
    this.taken = taken;
    this.chunk = 0;
    this.offset = taken;
    for (const { data } of this.chunks) {
      if (this.offset < data.length) break;
      this.offset -= data.length;
      this.chunk++;
    }
  }

  /**
   * Input that comes while the guest runs, now at `atCycle`. Where a rollback has put the guest back to before what
   * came earlier, it waits until that has been received again: the order of arrival stays as it was.
   */
  add(atCycle: number, data: Uint8Array): void {
    this.lastReceived = Math.max(this.lastReceived, atCycle);
    this.insert(this.lastReceived, data);
  }

  /** The next byte that has arrived by `cycle`, or -1. */
  take(cycle: number): number {
    const next = this.chunks[this.chunk];
    if (next === undefined || next.atCycle > cycle) return -1;
    const byte = next.data[this.offset] ?? -1;
    this.taken++;
    if (++this.offset === next.data.length) {
      this.chunk++;
      this.offset = 0;
    }
    return byte;
  }

  state(): InputState {
    return { chunks: [...this.chunks], lastReceived: this.lastReceived };
  }

  /** The cursor is part of the context, and is to be set after this. */
  load({ chunks, lastReceived }: InputState): void {
    this.chunks.splice(0, this.chunks.length, ...chunks);
    this.lastReceived = lastReceived;
  }

  /** After what arrives then already, before what is foreseen for later. */
  private insert(atCycle: number, data: Uint8Array): void {
    if (data.length === 0) return;
    const later = this.chunks.findIndex((chunk, i) => i >= this.chunk && chunk.atCycle > atCycle);
    const at = later < 0 ? this.chunks.length : later;
    this.chunks.splice(at, 0, { atCycle, data: data.slice() });
  }
}
