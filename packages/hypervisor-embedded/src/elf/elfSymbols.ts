import { refusal } from './refusal.js';

const SECTION_HEADER_BYTES = 40;
const SYMBOL_BYTES = 16;
const SECTION_SYMBOL_TABLE = 2;

const UNDEFINED_SECTION = 0;
const BINDING_LOCAL = 0;
/** Types of symbols that name data, functions and labels; sections and source files are left out. */
const LAST_ADDRESS_TYPE = 2;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly bytes: number;
  readonly link: number;
}

/**
 * The addresses that the symbol table of an ELF file names; empty where it has none. A global symbol goes before a
 * local one of its name.
 *
 * @throws RmkError `RMK_ERR_ELF` where there is a table, but a damaged one.
 */
export function readElfSymbols(
  file: Uint8Array,
  view: DataView,
  source: string,
): ReadonlyMap<string, number> {
  const symbols = new Map<string, number>();
  const sections = readSections(view, source);
  const table = sections.find(({ type }) => type === SECTION_SYMBOL_TABLE);
  if (table === undefined) return symbols;
  const names = sections[table.link];
  if (names === undefined)
    throw damaged(source, `it names section ${table.link} of ${sections.length} for its names`);
  checkInFile(table, view, source);
  checkInFile(names, view, source);

  const decoder = new TextDecoder();
  const globals = new Set<string>();
  const end = names.offset + names.bytes;
  // Names may share their tails, and a forged file could make a little table name very much.
  let nameBytesLeft = file.length;
  for (let at = table.offset; at + SYMBOL_BYTES <= table.offset + table.bytes; at += SYMBOL_BYTES) {
    const kind = view.getUint8(at + 12);
    if ((kind & 0xf) > LAST_ADDRESS_TYPE || view.getUint16(at + 14, true) === UNDEFINED_SECTION) continue;
    const nameAt = names.offset + view.getUint32(at, true);
    if (nameAt >= end) throw damaged(source, `the name of the symbol at offset ${at} lies outside the names`);
    const terminator = file.indexOf(0, nameAt);
    if (terminator < 0 || terminator >= end)
      throw damaged(source, `the name of the symbol at offset ${at} has no end`);
    nameBytesLeft -= terminator - nameAt;
    if (nameBytesLeft < 0) throw damaged(source, 'its names together are longer than the file');
    const name = decoder.decode(file.subarray(nameAt, terminator));
    // The assembler's marks between code and data are of no use to anyone.
    if (name === '' || name.startsWith('$')) continue;
    const isGlobal = kind >>> 4 !== BINDING_LOCAL;
    if (globals.has(name) || (!isGlobal && symbols.has(name))) continue;
    if (isGlobal) globals.add(name);
    symbols.set(name, view.getUint32(at + 4, true));
  }
  return symbols;
}

function readSections(view: DataView, source: string): Section[] {
  const at = view.getUint32(32, true);
  const count = view.getUint16(48, true);
  if (at === 0 || count === 0) return [];
  const entryBytes = view.getUint16(46, true);
  if (entryBytes !== SECTION_HEADER_BYTES) {
    throw refusal(
      source,
      `its section headers have ${entryBytes} bytes instead of ${SECTION_HEADER_BYTES}; the file is damaged`,
    );
  }
  if (at + count * SECTION_HEADER_BYTES > view.byteLength) {
    throw refusal(
      source,
      `it is truncated or damaged: ${count} section headers at offset ${at} do not fit in its ${view.byteLength} bytes`,
    );
  }
  return Array.from({ length: count }, (_, index) => {
    const header = at + index * SECTION_HEADER_BYTES;
    return {
      type: view.getUint32(header + 4, true),
      offset: view.getUint32(header + 16, true),
      bytes: view.getUint32(header + 20, true),
      link: view.getUint32(header + 24, true),
    };
  });
}

function checkInFile(section: Section, view: DataView, source: string): void {
  if (section.offset + section.bytes <= view.byteLength) return;
  throw damaged(
    source,
    `${section.bytes} bytes at offset ${section.offset} are wanted of a file of ${view.byteLength}`,
  );
}

function damaged(source: string, reason: string): Error {
  return refusal(
    source,
    `its symbol table is damaged: ${reason}; build it again, or remove the table with strip`,
  );
}
