/** A property: strings, cells of 32 bits, or nothing but its presence. */
export type PropertyValue = string | readonly string[] | readonly number[] | true;

/** A node of a device tree. Its name has the unit address, if it has one. */
export interface DeviceNode {
  readonly name: string;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly children?: readonly DeviceNode[];
}

const MAGIC = 0xd00d_feed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_BYTES = 40;
/** The list of reserved memory: nothing but its end. */
const RESERVATIONS_BYTES = 16;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const END = 9;

/** A device tree in the flattened form that boot loaders hand to a kernel (Devicetree Specification 0.4, chapter 5). */
export function flattenDeviceTree(root: DeviceNode): Uint8Array {
  const structure = new Structure();
  structure.node(root);
  structure.word(END);
  const structureBytes = structure.bytes();
  const strings = structure.strings();
  const structureAt = HEADER_BYTES + RESERVATIONS_BYTES;
  const stringsAt = structureAt + structureBytes.length;
  const tree = new Uint8Array(stringsAt + strings.length);
  const view = new DataView(tree.buffer);
  const header = [
    MAGIC,
    tree.length,
    structureAt,
    stringsAt,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    0, // the hart that boots
    strings.length,
    structureBytes.length,
  ];
  header.forEach((word, index) => view.setUint32(4 * index, word));
  tree.set(structureBytes, structureAt);
  tree.set(strings, stringsAt);
  return tree;
}

/** The block of nodes and properties, and the names of properties that it refers to. */
class Structure {
  private readonly content: number[] = [];
  private readonly names: number[] = [];
  private readonly nameOffsets = new Map<string, number>();

  node({ name, properties, children = [] }: DeviceNode): void {
    this.word(BEGIN_NODE);
    this.padded(text(name));
    for (const [property, value] of Object.entries(properties)) this.property(property, bytesOf(value));
    for (const child of children) this.node(child);
    this.word(END_NODE);
  }

  word(value: number): void {
    this.content.push(...cell(value));
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.content);
  }

  strings(): Uint8Array {
    return Uint8Array.from(this.names);
  }

  private property(name: string, value: readonly number[]): void {
    this.word(PROPERTY);
    this.word(value.length);
    this.word(this.offsetOf(name));
    this.padded(value);
  }

  private offsetOf(name: string): number {
    const known = this.nameOffsets.get(name);
    if (known !== undefined) return known;
    const offset = this.names.length;
    this.nameOffsets.set(name, offset);
    this.names.push(...text(name));
    return offset;
  }

  private padded(bytes: readonly number[]): void {
    this.content.push(...bytes);
    while (this.content.length % 4 !== 0) this.content.push(0);
  }
}

function bytesOf(value: PropertyValue): readonly number[] {
  if (value === true) return [];
  if (typeof value === 'string') return text(value);
  return value.flatMap((part: string | number) => (typeof part === 'string' ? text(part) : cell(part)));
}

function text(value: string): number[] {
  return [...new TextEncoder().encode(value), 0];
}

/** Big-endian. */
function cell(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
