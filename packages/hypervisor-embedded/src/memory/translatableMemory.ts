import type { HartMemory } from '../hart/processor.js';
import type { WasmMemory } from '../webAssembly.js';
import type { TranslationLayout } from './translationLayout.js';

/** Guest memory that translated code can work on: RAM lies at the beginning of a WebAssembly memory. */
export interface TranslatableMemory extends HartMemory {
  readonly wasmMemory: WasmMemory;
  /** The whole memory in words. */
  readonly words: Int32Array;
  readonly layout: TranslationLayout;
  /** The frame holds code that was translated: {@link onCodeWritten} is called before it is written to, once. */
  watchCode(frame: number): void;
  onCodeWritten: (frame: number) => void;
}
