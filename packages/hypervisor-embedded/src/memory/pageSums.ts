import { PAGE_BYTES } from '@rmk/core';
import { I32, Op, VOID, WasmCode } from '../translator/wasmCode.js';
import { WebAssembly, type WasmMemory } from '../webAssembly.js';

/** Works on the pages of a WebAssembly memory, which begin at multiples of 16 bytes. */
export interface PageSums {
  /** Copies the page at `from` to `to`, and gives its checksum. */
  readonly copy: (from: number, to: number, seed: number) => number;
  /** The checksum of the page at `at`. */
  readonly sum: (at: number, seed: number) => number;
}

const VECTOR_BYTES = 16;
/** As many chains, since one chain of multiplications would leave the processor waiting. */
const VECTORS = 8;
const V128 = 0x7b;
/** Opcodes of vectors, behind the prefix. */
const Vector = {
  LOAD: 0x00,
  STORE: 0x0b,
  CONST: 0x0c,
  SPLAT: 0x11,
  EXTRACT: 0x1b,
  OR: 0x50,
  XOR: 0x51,
  SHL: 0xab,
  SHR_U: 0xad,
  ADD: 0xae,
  MUL: 0xb5,
} as const;
const ROTATION = 13;
/** Odd, so that multiplying by them is a bijection. */
const MULTIPLIERS = [0x01000193, 0x27d4eb2f, 0x165667b1, 0x2545f491];
const STIRRERS = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2d];
const STARTS = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35];

let compiled: object | undefined;

/**
 * A 32-bit checksum over the words of a page, by vector instructions. Every step is a bijection of the running value
 * and of the word, so a change that is confined to one word, however many bits of it flip, is always found; wider
 * damage is missed once in 2^32.
 */
export function pageSums(memory: WasmMemory): PageSums {
  compiled ??= new WebAssembly.Module(moduleBytes());
  return new WebAssembly.Instance<PageSums>(compiled, { e: { m: memory } }).exports;
}

/** The body of one of the functions. */
class PageCode extends WasmCode {
  private readonly end: number;
  private readonly scratch: number;
  private readonly seed: number;

  constructor(private readonly copies: boolean) {
    super(1024);
    this.seed = copies ? 2 : 1;
    this.end = this.seed + 1;
    this.scratch = this.end + 4;
    // The end and three lanes, then vectors.
    this.unsigned(2)
      .unsigned(4)
      .byte(I32)
      .unsigned(1 + VECTORS)
      .byte(V128);
    this.get(0).constant(PAGE_BYTES).byte(Op.I32_ADD).set(this.end);
    for (let k = 0; k < VECTORS; k += 1) this.vectorOf(STARTS, k).set(this.chain(k));
    this.get(this.chain(0)).get(this.seed).vector(Vector.SPLAT).vector(Vector.XOR).set(this.chain(0));
    this.byte(Op.LOOP).byte(VOID);
    for (let k = 0; k < VECTORS; k += 1) this.take(k);
    for (const at of copies ? [1, 0] : [0])
      this.get(at)
        .constant(VECTORS * VECTOR_BYTES)
        .byte(Op.I32_ADD)
        .set(at);
    this.get(0).get(this.end).byte(Op.I32_NE).byte(Op.BR_IF).unsigned(0).byte(Op.END);
    this.finish();
    this.byte(Op.END);
  }

  private chain(k: number): number {
    return this.scratch + 1 + k;
  }

  private vector(op: number): this {
    return this.byte(0xfd).unsigned(op);
  }

  /** Lanes that differ from those of the other chains; odd ones stay odd. */
  private vectorOf(words: readonly number[], k: number): this {
    this.vector(Vector.CONST);
    for (const word of words)
      for (let byte = 0; byte < 4; byte += 1) this.byte(((word + 0x51ed_2720 * k) >>> (8 * byte)) & 0xff);
    return this;
  }

  /**
   * A vector of the page into its chain, as xxHash does: rotate(chain + words * odd) * odd. The words are multiplied
   * too: else the highest bit of one would do to the chain what a single bit of the next one does.
   */
  private take(k: number): void {
    this.get(0)
      .vector(Vector.LOAD)
      .byte(4)
      .unsigned(k * VECTOR_BYTES);
    if (this.copies) {
      this.set(this.scratch);
      this.get(1)
        .get(this.scratch)
        .vector(Vector.STORE)
        .byte(4)
        .unsigned(k * VECTOR_BYTES);
      this.get(this.scratch);
    }
    this.vectorOf(MULTIPLIERS, k).vector(Vector.MUL);
    this.get(this.chain(k)).vector(Vector.ADD).tee(this.scratch);
    this.constant(ROTATION).vector(Vector.SHL);
    this.get(this.scratch)
      .constant(32 - ROTATION)
      .vector(Vector.SHR_U);
    this.vector(Vector.OR);
    this.vectorOf(STIRRERS, k).vector(Vector.MUL).set(this.chain(k));
  }

  /** All chains into the first, and its lanes into one word, each step a bijection of what it takes. */
  private finish(): void {
    const first = this.chain(0);
    for (let k = 1; k < VECTORS; k += 1) {
      this.get(first).get(this.chain(k)).vector(Vector.XOR);
      this.vectorOf(MULTIPLIERS, k).vector(Vector.MUL).tee(this.scratch);
      this.get(this.scratch).constant(15).vector(Vector.SHR_U).vector(Vector.XOR).set(first);
    }
    const word = this.end;
    this.constant(0).set(word);
    for (const [lane, multiplier] of [0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1].entries()) {
      this.get(word).get(first).vector(Vector.EXTRACT).byte(lane).byte(Op.I32_XOR);
      this.constant(multiplier).byte(Op.I32_MUL).tee(word);
      this.get(word).constant(15).byte(Op.I32_SHR_U).byte(Op.I32_XOR).set(word);
    }
    this.get(word);
  }
}

function moduleBytes(): Uint8Array {
  const types = new WasmCode(16).unsigned(2);
  types.raw(Uint8Array.of(0x60, 3, I32, I32, I32, 1, I32, 0x60, 2, I32, I32, 1, I32));
  const name = (text: string) => Uint8Array.of(text.length, ...new TextEncoder().encode(text));
  // Any memory will do: at least one page of 64 KiB, at most as many as there can be.
  const imports = new WasmCode(16)
    .unsigned(1)
    .raw(name('e'))
    .raw(name('m'))
    .byte(2)
    .byte(1)
    .unsigned(1)
    .unsigned(65_536);
  const exported = new WasmCode(32).unsigned(2);
  exported.raw(name('copy')).byte(0).unsigned(0).raw(name('sum')).byte(0).unsigned(1);
  const bodies = new WasmCode(4096).unsigned(2).sized(new PageCode(true)).sized(new PageCode(false));
  return new WasmCode(4096)
    .raw(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    .section(1, types)
    .section(2, imports)
    .section(3, new WasmCode(8).unsigned(2).unsigned(0).unsigned(1))
    .section(7, exported)
    .section(10, bodies)
    .toBytes();
}
