/** A node of a device tree that was read back. */
export class TreeNode {
  readonly children = new Map<string, TreeNode>();
  readonly properties = new Map<string, Uint8Array>();

  at(path: string): TreeNode {
    let node = this as TreeNode;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const child = node.children.get(name);
      if (child === undefined)
        throw new Error(`no ${name} of ${path} among ${[...node.children.keys()].join()}`);
      node = child;
    }
    return node;
  }

  cells(property: string): number[] {
    const bytes = this.bytes(property);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index));
  }

  /** Without the zero at its end. */
  text(property: string): string {
    return new TextDecoder().decode(this.bytes(property)).slice(0, -1);
  }

  private bytes(property: string): Uint8Array {
    const bytes = this.properties.get(property);
    if (bytes === undefined) throw new Error(`no property ${property}`);
    return bytes;
  }
}

/** Reads a flattened device tree (Devicetree Specification 0.4, chapter 5), and is strict about its form. */
export function readDeviceTree(tree: Uint8Array): TreeNode {
  const view = new DataView(tree.buffer, tree.byteOffset, tree.length);
  const word = (index: number): number => view.getUint32(4 * index);
  const [magic, size, structureAt, stringsAt, reservationsAt, version, compatible] = [
    0, 1, 2, 3, 4, 5, 6,
  ].map(word);
  if (magic !== 0xd00d_feed || size !== tree.length) throw new Error('not a device tree');
  if (version !== 17 || compatible !== 16) throw new Error(`version ${version}`);
  if ((reservationsAt ?? 1) % 8 !== 0 || (structureAt ?? 1) % 4 !== 0) throw new Error('misaligned block');
  const decoder = new TextDecoder();
  const text = (from: number): string => decoder.decode(tree.subarray(from, tree.indexOf(0, from)));
  const root = new TreeNode();
  const open: TreeNode[] = [];
  let at = structureAt ?? 0;
  for (;;) {
    const token = view.getUint32(at);
    at += 4;
    if (token === 1) {
      const name = text(at);
      at = (at + name.length + 4) & ~3;
      const node = open.length === 0 ? root : new TreeNode();
      open.at(-1)?.children.set(name, node);
      open.push(node);
    } else if (token === 2) {
      if (open.pop() === undefined) throw new Error('a node ends that was not begun');
    } else if (token === 3) {
      const length = view.getUint32(at);
      const name = text((stringsAt ?? 0) + view.getUint32(at + 4));
      open.at(-1)?.properties.set(name, tree.slice(at + 8, at + 8 + length));
      at = (at + 8 + length + 3) & ~3;
    } else if (token === 9) {
      if (open.length > 0) throw new Error('a node has no end');
      return root;
    } else if (token !== 4) {
      throw new Error(`token ${token} at ${at}`);
    }
  }
}
