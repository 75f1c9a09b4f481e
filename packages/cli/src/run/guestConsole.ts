import { printable } from './printable.js';

const MAX_LINE_BYTES = 4096;
const MAX_KEPT_BYTES = 1 << 20;
const NEW_LINE = 10;

/** Shown when a rollback struck lines that were already shown. */
export const TAKEN_BACK = '(what stands above was rolled back in part; from there on:)';

/**
 * Shows the committed output of a guest, line by line. Output that the guest repeats after a rollback is shown once. If
 * it differs from what was shown, `TAKEN_BACK` precedes the new output.
 */
export class GuestConsole {
  private kept = new Uint8Array(1024);
  /** Positions in the committed output: of the first byte kept, behind the last known, behind the last shown. */
  private from = 0;
  private end = 0;
  private shown = 0;
  /** Where the guest stands; before `end` while it repeats itself. */
  private position = 0;

  constructor(private readonly show: (line: string) => void) {}

  /** `position`: bytes of committed output before these. */
  append(position: number, data: Uint8Array): void {
    if (position < this.from || position > this.end) this.restartAt(position);
    this.position = position;
    for (const byte of data) {
      if (this.position < this.end && this.kept[this.position - this.from] !== byte) this.takeBack();
      if (this.position === this.end) this.keep(byte);
      this.position++;
    }
    this.showLines();
    this.forgetOld();
  }

  /** Shows the last line, also where it has no end. */
  finish(): void {
    if (this.position < this.end) this.takeBack();
    this.showLines();
    if (this.shown < this.end) this.showUpTo(this.end);
  }

  private takeBack(): void {
    this.end = this.position;
    if (this.shown <= this.position) return;
    this.show(TAKEN_BACK);
    // What is shown again begins with its line.
    const before = this.kept.subarray(0, this.position - this.from).lastIndexOf(NEW_LINE);
    this.shown = this.from + before + 1;
  }

  private restartAt(position: number): void {
    if (position < this.shown) this.show(TAKEN_BACK);
    this.from = this.end = this.shown = position;
  }

  private keep(byte: number): void {
    const at = this.end - this.from;
    if (at === this.kept.length) {
      const larger = new Uint8Array(this.kept.length * 2);
      larger.set(this.kept);
      this.kept = larger;
    }
    this.kept[at] = byte;
    this.end++;
  }

  private showLines(): void {
    for (;;) {
      const unshown = this.kept.subarray(this.shown - this.from, this.end - this.from);
      const length = unshown.indexOf(NEW_LINE);
      if (length >= 0 && length <= MAX_LINE_BYTES) this.showUpTo(this.shown + length + 1);
      else if (unshown.length > MAX_LINE_BYTES) this.showUpTo(this.shown + MAX_LINE_BYTES);
      else return;
    }
  }

  private showUpTo(position: number): void {
    const line = this.kept.subarray(this.shown - this.from, position - this.from);
    this.shown = position;
    this.show(printable(new TextDecoder().decode(line).replace(/\r?\n$/, '')));
  }

  private forgetOld(): void {
    const excess = this.shown - this.from - MAX_KEPT_BYTES;
    if (excess < MAX_KEPT_BYTES) return;
    this.kept.copyWithin(0, excess, this.end - this.from);
    this.from += excess;
  }
}
