import type { TranslationLayout } from '../memory/translationLayout.js';
import { GUARD_TYPE, REGION_TYPE } from './instructionCode.js';
import { Left } from './left.js';
import type { Region } from './region.js';
import { RegionCode } from './regionCode.js';
import { I32, Op, WasmCode } from './wasmCode.js';

const MAGIC_AND_VERSION = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const FUNCTION = 0x60;
const Section = { TYPES: 1, IMPORTS: 2, FUNCTIONS: 3, EXPORTS: 7, CODE: 10 } as const;
const Kind = { FUNCTION: 0, TABLE: 1, MEMORY: 2 } as const;

/**
 * The WebAssembly module of a region. It exports one function `r`: it takes the rest of the budget and the number of
 * the entry to begin at, and gives what is left of the budget.
 */
export function regionModule(
  region: Region,
  layout: TranslationLayout,
  id: number,
  slotOf: (pc: number) => number,
): Uint8Array {
  return moduleOf(new RegionCode(region, layout, id, slotOf).compile(), layout);
}

/**
 * What a slot without a region holds: goes back to the translator, which looks for one. The program counter has been
 * stored.
 */
export function wayBackModule(layout: TranslationLayout): Uint8Array {
  const code = new WasmCode(32).unsigned(0).constant(0).constant(Left.LOOK_UP);
  return moduleOf(code.access(Op.I32_STORE, layout.left).get(0).byte(Op.END), layout);
}

/** A module of one function of {@link REGION_TYPE}. */
function moduleOf(body: WasmCode, { wasmPages }: TranslationLayout): Uint8Array {
  const types = new WasmCode(32)
    .unsigned(2)
    .raw(Uint8Array.of(FUNCTION, 2, I32, I32, 1, I32))
    .raw(Uint8Array.of(FUNCTION, 3, I32, I32, I32, 1, I32));
  const imports = new WasmCode(64).unsigned(3);
  importName(imports, 'm').byte(Kind.MEMORY).byte(1).unsigned(wasmPages).unsigned(wasmPages);
  importName(imports, 't').byte(Kind.TABLE).byte(0x70).byte(0).unsigned(0);
  importName(imports, 'g').byte(Kind.FUNCTION).unsigned(GUARD_TYPE);
  // The guard, which is imported, is function 0.
  const exported = Uint8Array.of(1, 0x72, Kind.FUNCTION, 1);
  return new WasmCode(body.length + 256)
    .raw(MAGIC_AND_VERSION)
    .section(Section.TYPES, types)
    .section(Section.IMPORTS, imports)
    .section(Section.FUNCTIONS, new WasmCode(8).unsigned(1).unsigned(REGION_TYPE))
    .section(Section.EXPORTS, new WasmCode(8).unsigned(1).raw(exported))
    .section(Section.CODE, new WasmCode(body.length + 16).unsigned(1).sized(body))
    .toBytes();
}

function importName(to: WasmCode, name: string): WasmCode {
  return to.raw(Uint8Array.of(1, 0x65, 1, name.charCodeAt(0)));
}
