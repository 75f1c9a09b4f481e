/** Bytes that were kept, and how many there were in all. */
export interface BufferState {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** All output up to a moment. */
export interface TranscriptState {
  readonly committed: BufferState;
  readonly wire: BufferState;
}

/** Bytes in a buffer that grows by doubling up to a limit; what comes beyond is counted, not kept. */
class ByteBuffer {
  private bytes = new Uint8Array(1024);
  length = 0;

  constructor(private readonly limitBytes: number) {}

  append(byte: number): void {
    if (this.length < this.limitBytes) {
      if (this.length === this.bytes.length) this.grow();
      this.bytes[this.length] = byte;
    }
    this.length++;
  }

  truncate(length: number): void {
    this.length = length;
  }

  copy(): Uint8Array {
    return this.bytes.slice(0, Math.min(this.length, this.limitBytes));
  }

  state(): BufferState {
    return { bytes: this.copy(), length: this.length };
  }

  load({ bytes, length }: BufferState): void {
    this.bytes = new Uint8Array(Math.max(bytes.length, 1024));
    this.bytes.set(bytes);
    this.length = length;
  }

  private grow(): void {
    const larger = new Uint8Array(Math.min(this.bytes.length * 2, this.limitBytes));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

/** What a device put out: the wire saw all of it, committed output is without the spans that were rolled back. */
export class Transcript {
  private readonly committed: ByteBuffer;
  private readonly wire: ByteBuffer;
  /** Output since the last {@link takeUnreported}: at most that of one run of the processor. */
  private readonly unreported = new ByteBuffer(Infinity);

  /** `limitBytes` are kept of each, so that a guest cannot fill the host's memory; lengths stay exact beyond it. */
  constructor(limitBytes: number) {
    this.committed = new ByteBuffer(limitBytes);
    this.wire = new ByteBuffer(limitBytes);
  }

  /** Bytes of committed output: the position that a context keeps. */
  get position(): number {
    return this.committed.length;
  }

  append(byte: number): void {
    this.committed.append(byte);
    this.wire.append(byte);
    this.unreported.append(byte);
  }

  /** Strikes out everything after `position`, and says how many bytes that were. */
  strikeTo(position: number): number {
    const struck = this.committed.length - position;
    this.committed.truncate(position);
    this.unreported.truncate(0);
    return struck;
  }

  get hasUnreported(): boolean {
    return this.unreported.length > 0;
  }

  /** What was put out since the last time, whatever the limit. */
  takeUnreported(): Uint8Array {
    const bytes = this.unreported.copy();
    this.unreported.truncate(0);
    return bytes;
  }

  state(): TranscriptState {
    return { committed: this.committed.state(), wire: this.wire.state() };
  }

  load({ committed, wire }: TranscriptState): void {
    this.committed.load(committed);
    this.wire.load(wire);
    this.unreported.truncate(0);
  }

  committedBytes(): Uint8Array {
    return this.committed.copy();
  }

  wireBytes(): Uint8Array {
    return this.wire.copy();
  }
}
