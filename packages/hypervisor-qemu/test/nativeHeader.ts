import { readFileSync } from 'node:fs';

/** A struct of a C header: the offset and size of each field, as the ABI of x86-64 lays them out. */
export interface Layout {
  readonly bytes: number;
  readonly fields: ReadonlyMap<string, { readonly offset: number; readonly bytes: number }>;
}

/** What a header of the native library declares. */
export class NativeHeader {
  private readonly text: string;

  /** `path`: below native/. */
  constructor(path: string) {
    const source = readFileSync(new URL(`../native/${path}`, import.meta.url), 'utf8');
    this.text = source.replaceAll(/\/\*.*?\*\//gs, '');
  }

  define(name: string): number {
    const value = new RegExp(`#define ${name} \\(?([0-9a-fx]+)u?(?: << (\\d+))?`).exec(this.text);
    if (value === null) throw new Error(`the header does not define ${name}`);
    return Number(value[1]) << Number(value[2] ?? 0);
  }

  /** The constants with this prefix, without it: of an enumeration, or of `#define`s. */
  constants(prefix: string): ReadonlyMap<string, number> {
    const found = this.text.matchAll(new RegExp(`\\b${prefix}(\\w+)(?: =)? (\\d+)u?\\b`, 'g'));
    return new Map([...found].map(([, name = '', value]) => [name, Number(value)]));
  }

  struct(name: string): Layout {
    const body = new RegExp(`struct ${name} \\{(.*?)\\};`, 's').exec(this.text)?.[1];
    if (body === undefined) throw new Error(`the header has no struct ${name}`);
    const fields = new Map<string, { offset: number; bytes: number }>();
    let offset = 0;
    let alignment = 1;
    for (const [, bits, field = '', length] of body.matchAll(/uint(16|32|64)_t (\w+)(?:\[(\w+)\])?;/g)) {
      const size = Number(bits) / 8;
      alignment = Math.max(alignment, size);
      offset = Math.ceil(offset / size) * size;
      const bytes = size * (length === undefined ? 1 : this.define(length));
      fields.set(field, { offset, bytes });
      offset += bytes;
    }
    return { bytes: Math.ceil(offset / alignment) * alignment, fields };
  }
}

/** A payload of this layout; fields without a value are 0. */
export function written(
  layout: Layout,
  values: Readonly<Record<string, bigint | readonly bigint[]>>,
): Buffer {
  const payload = Buffer.alloc(layout.bytes);
  for (const [name, value] of Object.entries(values)) {
    const field = layout.fields.get(name);
    if (field === undefined) throw new Error(`there is no field ${name}`);
    const all = typeof value === 'bigint' ? [value] : value;
    const bytes = typeof value === 'bigint' ? field.bytes : 8;
    for (const [index, one] of all.entries()) {
      const at = field.offset + index * bytes;
      if (bytes === 8) payload.writeBigUInt64LE(one, at);
      else payload.writeUIntLE(Number(one), at, bytes);
    }
  }
  return payload;
}

/** The values in a payload of this layout, arrays left out. */
export function readFields(layout: Layout, payload: Buffer): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...layout.fields]
      .filter(([, { bytes }]) => bytes <= 8)
      .map(([name, { offset, bytes }]) => [
        name,
        bytes === 8 ? Number(payload.readBigUInt64LE(offset)) : payload.readUIntLE(offset, bytes),
      ]),
  );
}
