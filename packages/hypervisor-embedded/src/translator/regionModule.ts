import type { TranslationLayout } from '../memory/translationLayout.js';
import { ENTRY_BITS, NO_SLOT, RegionCode } from './regionCode.js';
import { Left } from './left.js';
import type { Region } from './region.js';
import { I32, Op, VOID, WasmCode } from './wasmCode.js';

const MAGIC_AND_VERSION = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const FUNCTION = 0x60;
const Section = { TYPES: 1, IMPORTS: 2, FUNCTIONS: 3, EXPORTS: 7, CODE: 10 } as const;
const Kind = { FUNCTION: 0, TABLE: 1, MEMORY: 2 } as const;

/** Types by number: of a region, of the functions that it imports, of the dispatcher. */
const TYPES = [
  [FUNCTION, 2, I32, I32, 2, I32, I32],
  [FUNCTION, 3, I32, I32, I32, 1, I32],
  [FUNCTION, 2, I32, I32, 1, I32],
] as const;
const REGION_TYPE = 0;
const IMPORT_TYPE = 1;
const DISPATCHER_TYPE = 2;

/**
 * The WebAssembly module of a region. It exports one function `r`: it takes the rest of the budget and the number of
 * the entry to begin at, and gives what is left of the budget, and the slot where execution goes on.
 */
export function regionModule(
  region: Region,
  layout: TranslationLayout,
  id: number,
  slotOf: (pc: number) => number,
): Uint8Array {
  const imports = new WasmCode(64).unsigned(3);
  importMemory(imports, layout);
  // What is imported has the first numbers: the guard 0, the reader of CSRs 1.
  for (const name of ['g', 'c']) importName(imports, name).byte(Kind.FUNCTION).unsigned(IMPORT_TYPE);
  return moduleOf(new RegionCode(region, layout, id, slotOf).compile(), imports, REGION_TYPE, 2);
}

/**
 * What a slot without a region holds: goes back to the translator, which looks for one. The program counter has been
 * stored.
 */
export function wayBackModule(layout: TranslationLayout): Uint8Array {
  const code = new WasmCode(32).unsigned(0).constant(0).constant(Left.LOOK_UP);
  code.access(Op.I32_STORE, layout.left).get(0).constant(NO_SLOT).byte(Op.END);
  return moduleOf(code, importMemory(new WasmCode(64).unsigned(1), layout), REGION_TYPE, 0);
}

/** Takes the rest of the budget and a slot, and executes regions until one gives no slot to go on at. */
export function dispatcherModule(layout: TranslationLayout): Uint8Array {
  const [remaining, slot] = [0, 1];
  const code = new WasmCode(128).unsigned(0).byte(Op.LOOP).byte(VOID);
  const entryOfSlot = () => code.get(slot).constant(3).byte(Op.I32_SHL);
  entryOfSlot()
    .constant(1)
    .access(Op.I32_STORE, layout.slotEntries + 4);
  code.get(remaining);
  entryOfSlot().access(Op.I32_LOAD, layout.slotEntries);
  code.constant((1 << ENTRY_BITS) - 1).byte(Op.I32_AND);
  code.get(slot).byte(Op.CALL_INDIRECT).unsigned(REGION_TYPE).unsigned(0);
  code.set(slot).set(remaining);
  code.get(slot).constant(0).byte(Op.I32_GE_S).byte(Op.BR_IF).unsigned(0);
  code.byte(Op.END).get(remaining).byte(Op.END);
  const imports = importMemory(new WasmCode(64).unsigned(2), layout);
  importName(imports, 't').byte(Kind.TABLE).byte(0x70).byte(0).unsigned(0);
  return moduleOf(code, imports, DISPATCHER_TYPE, 0);
}

/** A module of one function. `imported`: functions that are imported. */
function moduleOf(body: WasmCode, imports: WasmCode, type: number, imported: number): Uint8Array {
  const types = new WasmCode(32).unsigned(TYPES.length);
  for (const bytes of TYPES) types.raw(Uint8Array.from(bytes));
  const exported = Uint8Array.of(1, 0x72, Kind.FUNCTION, imported);
  return new WasmCode(body.length + 256)
    .raw(MAGIC_AND_VERSION)
    .section(Section.TYPES, types)
    .section(Section.IMPORTS, imports)
    .section(Section.FUNCTIONS, new WasmCode(8).unsigned(1).unsigned(type))
    .section(Section.EXPORTS, new WasmCode(8).unsigned(1).raw(exported))
    .section(Section.CODE, new WasmCode(body.length + 16).unsigned(1).sized(body))
    .toBytes();
}

function importMemory(to: WasmCode, { wasmPages }: TranslationLayout): WasmCode {
  return importName(to, 'm').byte(Kind.MEMORY).byte(1).unsigned(wasmPages).unsigned(wasmPages);
}

function importName(to: WasmCode, name: string): WasmCode {
  return to.raw(Uint8Array.of(1, 0x65, 1, name.charCodeAt(0)));
}
