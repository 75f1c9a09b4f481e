import { RmkError } from '@rmk/core';
import type { MemoryAccess } from './memoryAccess.js';

/** What a watchpoint stops at. */
export type WatchKind = 'write' | 'read' | 'access';

export interface Watchpoint {
  readonly kind: WatchKind;
  /** Guest-physical, of the first byte. */
  readonly address: number;
  readonly bytes: number;
}

/** Bounds what each instruction is compared with. */
const MOST = 1024;

/**
 * Breakpoints and watchpoints. They are compared with the program counter and with the accesses of each instruction, so
 * that the guest's memory stays as it is.
 */
export class StopPoints {
  private readonly breakpoints = new Set<number>();
  private watchpoints: readonly Watchpoint[] = [];

  get hasAny(): boolean {
    return this.breakpoints.size > 0 || this.watches;
  }

  /** Whether there are watchpoints. */
  get watches(): boolean {
    return this.watchpoints.length > 0;
  }

  /** Throws `RMK_ERR_INPUT` if there are too many. */
  addBreakpoint(address: number): void {
    this.checkRoom();
    this.breakpoints.add(address | 0);
  }

  removeBreakpoint(address: number): void {
    this.breakpoints.delete(address | 0);
  }

  /** Throws `RMK_ERR_INPUT` if there are too many. */
  addWatchpoint(watchpoint: Watchpoint): void {
    this.checkRoom();
    this.removeWatchpoint(watchpoint);
    this.watchpoints = [...this.watchpoints, watchpoint];
  }

  removeWatchpoint({ kind, address, bytes }: Watchpoint): void {
    this.watchpoints = this.watchpoints.filter(
      (each) => each.kind !== kind || each.address !== address || each.bytes !== bytes,
    );
  }

  clear(): void {
    this.breakpoints.clear();
    this.watchpoints = [];
  }

  /** `pc`: signed, as the hart has it. */
  breaksAt(pc: number): boolean {
    return this.breakpoints.has(pc);
  }

  /** The watchpoint that an access meets. */
  metBy({ address, bytes, reads, writes }: MemoryAccess): Watchpoint | undefined {
    return this.watchpoints.find(
      (each) =>
        address < each.address + each.bytes &&
        address + bytes > each.address &&
        ((reads && each.kind !== 'write') || (writes && each.kind !== 'read')),
    );
  }

  private checkRoom(): void {
    if (this.breakpoints.size + this.watchpoints.length < MOST) return;
    throw new RmkError('RMK_ERR_INPUT', `there are ${MOST} breakpoints and watchpoints. Remove some first.`);
  }
}
