import { closeSync, fstatSync, openSync, readSync, truncateSync } from 'node:fs';

const TRIPLE_FAULT = 'Triple fault';
/** QEMU writes about 1 KiB at each reset, those of rollbacks included. */
const KEPT_BYTES = 64 << 10;

/**
 * What QEMU logs when its vCPU is reset. A vCPU that can deliver not even a double fault says so before it resets the
 * machine: this is how a crash differs from a reboot, for which QEMU has the same event, `RESET`.
 */
export class ResetLog {
  /** Up to where it has been read. */
  private position: number;
  /** Where the part that takes space begins. */
  private freedUpTo = 0;
  private hasFault = false;

  constructor(private readonly path: string) {
    this.position = this.size();
  }

  /**
   * Whether the vCPU triple-faulted since the last call. Reads at once, since facts keep their order; called at resets
   * only. Undefined if the log cannot be read.
   */
  hasTripleFault(): boolean | undefined {
    try {
      this.readOn();
    } catch {
      return undefined;
    }
    const { hasFault } = this;
    this.hasFault = false;
    return hasFault;
  }

  /** Takes no notice of what was logged since. */
  skip(): void {
    this.position = Math.max(this.position, this.size());
    this.hasFault = false;
    this.free();
  }

  /** Keeps the log short: a guest can reset its vCPU as often as it likes. */
  bound(): void {
    if (this.size() - this.freedUpTo > KEPT_BYTES) this.readOn();
  }

  private readOn(): void {
    const file = openSync(this.path, 'r');
    try {
      const { size } = fstatSync(file);
      const from = Math.max(this.position, size - KEPT_BYTES);
      const data = Buffer.alloc(Math.max(0, size - from));
      readSync(file, data, 0, data.length, from);
      this.position = Math.max(this.position, size);
      this.hasFault ||= data.includes(TRIPLE_FAULT);
    } finally {
      closeSync(file);
    }
    this.free();
  }

  private free(): void {
    if (this.position - this.freedUpTo <= KEPT_BYTES) return;
    // QEMU writes on at its own position, so the file then begins with a hole.
    truncateSync(this.path);
    this.freedUpTo = this.position;
  }

  private size(): number {
    try {
      const file = openSync(this.path, 'r');
      try {
        return fstatSync(file).size;
      } finally {
        closeSync(file);
      }
    } catch {
      return 0;
    }
  }
}
