import type { HartMemory } from '../hart/processor.js';
import type { WasmMemory } from '../webAssembly.js';
import type { TranslationLayout } from './translationLayout.js';

/** A line has 64 bytes. Within a page, stores to lines with code are distinguished from others. */
export const LINE_SHIFT = 6;

/** Guest memory that translated code can work on: RAM lies at the beginning of a WebAssembly memory. */
export interface TranslatableMemory extends HartMemory {
  readonly wasmMemory: WasmMemory;
  /** The whole memory in words. */
  readonly words: Int32Array;
  readonly layout: TranslationLayout;
  /**
   * The line, an offset into RAM over 64, holds code that was translated: {@link onCodeWritten} is called before it, or
   * anything that is not distinguished from it, is written to.
   */
  watchCode(line: number): void;
  /** `isGuest`: whether the guest writes; else the host does, or a rollback. */
  onCodeWritten: (frame: number, isGuest: boolean) => void;
  /** All of memory is set: the guest starts again, or goes on from a snapshot. */
  onReset: () => void;
}
