import { PAGE_BYTES, RmkError, type EpochPlan } from '@rmk/core';
import { checkLogChain, checkPlan, damagedPagesError } from '@rmk/driver';
import { FrameMarks, NO_FRAMES, preSaveFrames, rulingEntries, writtenFrames } from './frameSets.js';
import { LogArea, NO_ENTRY, type LogChain } from './logArea.js';
import { pageSums } from './pageSums.js';
import { LINE_SHIFT, type TranslatableMemory } from './translatableMemory.js';
import { WebAssembly, type WasmMemory } from '../webAssembly.js';
import type { TranslationLayout } from './translationLayout.js';

/** Where the RAM of QEMU's `virt` board begins. */
export const RAM_BASE = 0x8000_0000;
const FRAME_SHIFT = 12;

/** States of a page. A store calls {@link GuestMemory.beforeWrite} unless the page is WRITTEN. */
const WRITTEN = 0;
/** Saved ahead of any write and writable: the write permission without the dirty bit. */
const PRE_SAVED = 1;
/** Write-protected: its content is that of the checkpoint. */
const PROTECTED = 2;
/** Given back by the guest in this epoch; counts as written. */
const DISCARDED = 3;
/** Written, and translated code was made from its content: that must end before the next store. */
const WRITTEN_CODE = 4;

/** Share of the free log area that may be saved ahead for what was written while nothing was logged. */
const MOST_UNLOGGED = 0.25;

const WASM_PAGE_BYTES = 65_536;
const REGISTER_BYTES = 4 * 32;
const EXCHANGED_BYTES = 4 * 4;
/** Places that translated code leads to, at a time; 8 bytes each. */
const SLOTS = 1 << 16;
/** A power of two: 32 KiB of them. */
const JUMP_CACHE_ENTRIES = 4096;
const JUMP_CACHE_BYTES = 8 * JUMP_CACHE_ENTRIES;

/** What an epoch came to, as far as pages go. */
export interface EpochPages {
  /** Page frames written, ascending. */
  readonly updated: Uint32Array;
  readonly pageFaults: number;
  readonly pagesSaved: number;
  readonly pagesPreSaved: number;
  readonly preSavedInVain: number;
}

/**
 * Guest-physical memory with a write permission and a dirty bit for each page, and the page logs that fill at the
 * first write to a protected page (§3). RAM, logs, page states and what translated code works on lie in one
 * WebAssembly memory of fixed size.
 */
export class GuestMemory implements TranslatableMemory {
  readonly base = RAM_BASE;
  readonly pages: number;
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly u16: Uint16Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
  readonly pageState: Uint8Array;
  readonly area: LogArea;
  /** Storage for the hart's integer registers, where translated code reaches them. */
  readonly registers: Int32Array;
  readonly wasmMemory: WasmMemory;
  readonly words: Int32Array;
  readonly layout: TranslationLayout;
  onCodeWritten: (frame: number, isGuest: boolean) => void = () => {};
  onReset: () => void = () => {};

  private readonly holdsCode: Uint8Array;
  private readonly codeLines: Uint8Array;
  private readonly present: Uint8Array;
  private readonly faulted: Uint32Array;
  private faultedCount = 0;
  private readonly marks: FrameMarks;
  private open: LogChain | undefined;
  private epoch = 0;
  private clusterPages = 1;
  private pageFaults = 0;
  private lostReason: string | undefined;

  /**
   * `bytes`: a multiple of {@link PAGE_BYTES}. `logPages`: entries of all page logs together. `storeCheck`: whether
   * translated stores call {@link beforeWrite}.
   */
  constructor(
    readonly bytes: number,
    logPages: number,
    storeCheck = true,
  ) {
    this.pages = bytes / PAGE_BYTES;
    const registers = bytes + logPages * PAGE_BYTES;
    const pc = registers + REGISTER_BYTES;
    const jumpCache = pc + EXCHANGED_BYTES;
    const slotEntries = jumpCache + JUMP_CACHE_BYTES;
    const pageState = slotEntries + 8 * SLOTS;
    const wasmPages = Math.ceil((pageState + this.pages) / WASM_PAGE_BYTES);
    this.wasmMemory = new WebAssembly.Memory({ initial: wasmPages, maximum: wasmPages });
    const { buffer } = this.wasmMemory;
    this.layout = {
      base: this.base,
      bytes,
      wasmPages,
      pageState,
      storeCheck,
      registers,
      pc,
      left: pc + 4,
      leftRegion: pc + 8,
      csr: pc + 12,
      slotEntries,
      slots: SLOTS,
      jumpCache,
      jumpCacheEntries: JUMP_CACHE_ENTRIES,
    };
    this.words = new Int32Array(buffer);
    this.registers = new Int32Array(buffer, registers, 32);
    this.u8 = new Uint8Array(buffer, 0, bytes);
    this.i8 = new Int8Array(buffer, 0, bytes);
    this.u16 = new Uint16Array(buffer, 0, bytes / 2);
    this.i16 = new Int16Array(buffer, 0, bytes / 2);
    this.i32 = new Int32Array(buffer, 0, bytes / 4);
    const whole = bytes + logPages * PAGE_BYTES;
    this.area = new LogArea(new Uint8Array(buffer, 0, whole), pageSums(this.wasmMemory), bytes);
    this.pageState = new Uint8Array(buffer, pageState, this.pages).fill(PROTECTED);
    this.holdsCode = new Uint8Array(this.pages);
    this.codeLines = new Uint8Array(bytes >>> LINE_SHIFT);
    // Where stores are not seen, any page may exist.
    this.present = new Uint8Array(this.pages).fill(storeCheck ? 0 : 1);
    this.faulted = new Uint32Array(this.pages);
    this.marks = new FrameMarks(this.pages);
  }

  /** The epoch that is open, counted from 0; before the first checkpoint nothing is logged. */
  get openEpoch(): number {
    return this.epoch;
  }

  /**
   * Called by the hart, and within this class, before a store to a page that is not WRITTEN. `offset`: where in RAM, if
   * the store stays within an aligned word; else translated code in the whole page ends.
   */
  beforeWrite(frame: number, offset?: number): void {
    if (this.pageState[frame] === PROTECTED) this.fault(frame);
    this.present[frame] = 1;
    if (offset !== undefined && this.holdsCode[frame] !== 0 && this.codeLines[offset >>> LINE_SHIFT] === 0) {
      this.pageState[frame] = WRITTEN_CODE;
      return;
    }
    this.endCode(frame, true);
    this.pageState[frame] = WRITTEN;
  }

  watchCode(line: number): void {
    const frame = line >>> (FRAME_SHIFT - LINE_SHIFT);
    this.codeLines[line] = 1;
    this.holdsCode[frame] = 1;
    if (this.pageState[frame] === WRITTEN) this.pageState[frame] = WRITTEN_CODE;
  }

  private endCode(frame: number, isGuest = false): void {
    if (this.holdsCode[frame] === 0) return;
    this.holdsCode[frame] = 0;
    const first = frame << (FRAME_SHIFT - LINE_SHIFT);
    this.codeLines.fill(0, first, first + (1 << (FRAME_SHIFT - LINE_SHIFT)));
    this.onCodeWritten(frame, isGuest);
  }

  /** A write by the host, logged as one of the guest. The range must lie inside. */
  write(byteOffset: number, data: Uint8Array): void {
    this.prepareWrite(byteOffset, data.length);
    this.u8.set(data, byteOffset);
  }

  /**
   * Sets all of memory, as if there had been nothing before, but keeps the translations of code that stays the same.
   * Nothing may be logged.
   */
  load(pages: readonly (Uint8Array | undefined)[]): void {
    this.onReset();
    for (const [frame, page] of pages.entries()) {
      if (page === undefined) {
        if (this.present[frame] === 1) this.clearPage(frame);
        continue;
      }
      if (this.holds(frame, page)) continue;
      if (this.changesCode(frame, page)) this.endCode(frame);
      this.u8.set(page, frame << FRAME_SHIFT);
      this.present[frame] = 1;
    }
    this.dropLogs();
    this.lostReason = undefined;
    this.epoch = 0;
    this.forgetWritten();
  }

  private holds(frame: number, page: Uint8Array): boolean {
    return this.present[frame] === 1 && Buffer.compare(this.pageAt(frame), page) === 0;
  }

  /** Whether the frame holds translated code that the page does not have at the same place. */
  private changesCode(frame: number, page: Uint8Array): boolean {
    if (this.holdsCode[frame] === 0) return false;
    const mine = this.pageAt(frame);
    const firstLine = frame << (FRAME_SHIFT - LINE_SHIFT);
    const bytes = 1 << LINE_SHIFT;
    for (let at = 0; at < PAGE_BYTES; at += bytes) {
      if (this.codeLines[firstLine + (at >>> LINE_SHIFT)] === 0) continue;
      if (Buffer.compare(mine.subarray(at, at + bytes), page.subarray(at, at + bytes)) !== 0) return true;
    }
    return false;
  }

  private pageAt(frame: number): Uint8Array {
    return this.u8.subarray(frame << FRAME_SHIFT, (frame + 1) << FRAME_SHIFT);
  }

  /** Whether a page log is being kept. */
  get isLogged(): boolean {
    return this.openLog !== undefined;
  }

  /** Flips a bit of memory without a store: no page log captures it. */
  flipBit(byteOffset: number, bit: number): void {
    const frame = byteOffset >>> FRAME_SHIFT;
    this.endCode(frame);
    this.u8[byteOffset] = (this.u8[byteOffset] ?? 0) ^ (1 << bit);
    this.present[frame] = 1;
  }

  /** The guest gives a page back: it does not exist any more and reads as zero, until it is written. */
  discard(frame: number): void {
    if (this.present[frame] === 0) return;
    this.endCode(frame);
    if (this.pageState[frame] !== WRITTEN) this.beforeWrite(frame);
    this.clearPage(frame);
    this.pageState[frame] = DISCARDED;
  }

  isPresent(frame: number): boolean {
    return this.present[frame] === 1;
  }

  /** Frames that faulted since the last call, in that order. */
  takeFaulted(): Uint32Array {
    const frames = this.faulted.slice(0, this.faultedCount);
    this.faultedCount = 0;
    return frames;
  }

  get hasFaulted(): boolean {
    return this.faultedCount > 0;
  }

  /** Why the logs became useless, once: they have been dropped and nothing is tracked any more. */
  takeLostReason(): string | undefined {
    const reason = this.lostReason;
    this.lostReason = undefined;
    return reason;
  }

  /** Ends the open epoch, if there is one, and opens the next. On failure the old one stays open. */
  nextEpoch(plan: EpochPlan): { readonly log: LogChain; readonly closed: EpochPages | undefined } {
    checkPlan(plan, this.pages);
    const { clusterPages = 1 } = plan;
    const log = this.openLog;
    const closed = log === undefined ? undefined : this.closing(log);
    const preSave = preSaveFrames(this.marks, plan, closed?.updated ?? this.writtenUnlogged(plan));
    if (preSave.length > this.area.free) {
      throw new RmkError(
        'RMK_ERR_LOGFULL',
        `the plan pre-saves ${preSave.length} pages, but the log area has room for ${this.area.free} of its ` +
          `${this.area.capacity}: retain fewer checkpoints, or give the VM more logPages`,
      );
    }
    if (log === undefined) this.pageState.fill(PROTECTED);
    else this.protect(log);
    return { log: this.openEpochWith(preSave, clusterPages, log?.epoch), closed };
  }

  /**
   * Rolls back to the beginning of the oldest of `logs` (newest first, the open one included): one pass, since of
   * several entries for a page the oldest rules (`collect` of §3.1), and only those that rule need be intact.
   */
  rollback(
    logs: readonly LogChain[],
    plan: EpochPlan,
  ): { readonly log: LogChain; readonly pagesRestored: number } {
    checkPlan(plan, this.pages);
    const { clusterPages = 1 } = plan;
    const ruling = rulingEntries(this.marks, this.area, logs);
    this.verify(ruling);
    const wanted = preSaveFrames(
      this.marks,
      plan,
      plan.preSave === 'updated' ? this.writtenIn(logs) : NO_FRAMES,
    );
    // From here on nothing fails.
    for (const entry of ruling) this.restore(entry);
    for (const log of logs) this.protect(log);
    // A rollback must not fail for want of room: pre-saving only spares faults.
    const preSave = wanted.length <= this.area.free ? wanted : NO_FRAMES;
    const log = this.openEpochWith(preSave, clusterPages, logs.at(-1)?.previousEpoch);
    return { log, pagesRestored: ruling.length };
  }

  /** What was loaded for the boot is not the guest's writing: H_0 leaves it out. Nothing may be logged yet. */
  forgetWritten(): void {
    this.pageState.fill(PROTECTED);
  }

  /** As at power-on: no page exists, nothing is logged. */
  reset(): void {
    this.onReset();
    for (let frame = 0; frame < this.pages; frame++) if (this.present[frame] === 1) this.clearPage(frame);
    this.pageState.fill(PROTECTED);
    this.dropLogs();
    this.lostReason = undefined;
  }

  /** Throws unless `logs` are the open epoch's log and those before it, without a gap, none released. */
  checkChain(logs: readonly LogChain[]): void {
    checkLogChain(logs, this.openLog, (log) => this.area.isUsable(log));
  }

  /** The log that fills. Whoever releases it gives up the protection: nothing is tracked until the next checkpoint. */
  private get openLog(): LogChain | undefined {
    if (this.open?.released === true) this.open = undefined;
    return this.open;
  }

  private fault(frame: number): void {
    const log = this.openLog;
    if (log === undefined) return;
    this.pageFaults++;
    this.faulted[this.faultedCount++] = frame;
    if (!this.area.save(log, frame, frame << FRAME_SHIFT, this.present[frame] === 0, false)) {
      this.loseLogs();
      return;
    }
    if (this.clusterPages > 1) this.saveCluster(log, frame);
  }

  private saveCluster(log: LogChain, faulting: number): void {
    const first = faulting & -this.clusterPages;
    const end = Math.min(first + this.clusterPages, this.pages);
    for (let frame = first; frame < end; frame++) {
      if (frame === faulting || this.pageState[frame] !== PROTECTED || this.area.free === 0) continue;
      this.preSave(log, frame);
    }
  }

  private preSave(log: LogChain, frame: number): void {
    this.area.save(log, frame, frame << FRAME_SHIFT, this.present[frame] === 0, true);
    this.pageState[frame] = PRE_SAVED;
  }

  private closing(log: LogChain): EpochPages {
    let written = 0;
    let preSaved = 0;
    let preSavedInVain = 0;
    for (let entry = log.first; entry !== NO_ENTRY; entry = this.area.after(entry)) {
      const isWritten = this.isWritten(this.area.frame(entry));
      this.area.setWritten(entry, isWritten);
      if (isWritten) written++;
      if (!this.area.isPreSaved(entry)) continue;
      preSaved++;
      if (!isWritten) preSavedInVain++;
    }
    const updated = new Uint32Array(written);
    let i = 0;
    for (let entry = log.first; entry !== NO_ENTRY; entry = this.area.after(entry)) {
      if (this.area.isWritten(entry)) updated[i++] = this.area.frame(entry);
    }
    updated.sort();
    return {
      updated,
      pageFaults: this.pageFaults,
      pagesSaved: log.entries,
      pagesPreSaved: preSaved,
      preSavedInVain,
    };
  }

  private isWritten(frame: number): boolean {
    const state = this.pageState[frame];
    return state === WRITTEN || state === DISCARDED || state === WRITTEN_CODE;
  }

  /**
   * H_0 (§3) while nothing is logged: what was written since the last checkpoint, or since the boot. None where it
   * would take much of the log area: a guest that ran for long has written far more than it will in one epoch.
   */
  private writtenUnlogged({ preSave }: EpochPlan): Uint32Array {
    if (preSave === 'none') return NO_FRAMES;
    const most = Math.floor(this.area.free * MOST_UNLOGGED);
    const frames: number[] = [];
    for (let frame = 0; frame < this.pages; frame++) {
      if (!this.isWritten(frame)) continue;
      if (frames.length === most) return NO_FRAMES;
      frames.push(frame);
    }
    return Uint32Array.from(frames);
  }

  private writtenIn(logs: readonly LogChain[]): Uint32Array {
    if (this.open !== undefined) this.closing(this.open);
    return writtenFrames(this.marks, this.area, logs);
  }

  private verify(entries: readonly number[]): void {
    const damaged = entries
      .filter((entry) => !this.area.isIntact(entry))
      .map((entry) => this.area.frame(entry));
    if (damaged.length > 0) throw damagedPagesError(damaged);
  }

  private restore(entry: number): void {
    const frame = this.area.frame(entry);
    this.endCode(frame);
    if (this.area.isAbsent(entry)) {
      this.clearPage(frame);
      return;
    }
    this.area.copyOut(entry, frame << FRAME_SHIFT);
    this.present[frame] = 1;
  }

  /** Only what became writable is protected again: the cost grows with the pages dirtied, not with the memory. */
  private protect(log: LogChain): void {
    for (let entry = log.first; entry !== NO_ENTRY; entry = this.area.after(entry)) {
      this.pageState[this.area.frame(entry)] = PROTECTED;
    }
  }

  private openEpochWith(
    preSave: Uint32Array,
    clusterPages: number,
    previousEpoch: number | undefined,
  ): LogChain {
    const log = this.area.openChain(++this.epoch, previousEpoch);
    for (const frame of preSave) this.preSave(log, frame);
    this.open = log;
    this.clusterPages = clusterPages;
    this.pageFaults = 0;
    return log;
  }

  private prepareWrite(byteOffset: number, length: number): void {
    if (length === 0) return;
    const last = (byteOffset + length - 1) >>> FRAME_SHIFT;
    for (let frame = byteOffset >>> FRAME_SHIFT; frame <= last; frame++) {
      this.endCode(frame);
      if (this.pageState[frame] !== WRITTEN) this.beforeWrite(frame);
    }
  }

  private clearPage(frame: number): void {
    this.endCode(frame);
    this.u8.fill(0, frame << FRAME_SHIFT, (frame + 1) << FRAME_SHIFT);
    this.present[frame] = this.layout.storeCheck ? 0 : 1;
  }

  /** An undo log with a gap is worth nothing, and every older checkpoint is reached through it. */
  private loseLogs(): void {
    this.lostReason =
      `the log area of ${this.area.capacity} pages is full: retain fewer checkpoints, shorten the interval, ` +
      'or give the VM more logPages';
    this.dropLogs();
  }

  private dropLogs(): void {
    this.open = undefined;
    this.faultedCount = 0;
    this.epoch++;
    this.area.clear();
  }
}
