/** A file of an initial RAM file system. Paths are relative, without a leading slash. */
export type InitramfsEntry = { readonly path: string } & (
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly data: Uint8Array; readonly executable?: boolean }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'device'; readonly major: number; readonly minor: number }
);

const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
const ALIGNMENT = 4;
const MODES = { folder: 0o040755, file: 0o100644, executable: 0o100755, link: 0o120777, device: 0o020600 };

/**
 * Packs a cpio archive in the "new ASCII" format, as Linux unpacks it at boot (buffer-format.rst of its
 * documentation). Folders on the way to an entry are made; the same entries give the same bytes.
 */
export function initramfs(entries: readonly InitramfsEntry[]): Buffer {
  const all = new Map(entries.flatMap(foldersOf).map((entry) => [entry.path, entry]));
  for (const entry of entries) all.set(entry.path, entry);
  const parts: Buffer[] = [];
  let inode = 1;
  // A folder's path sorts before the paths of what is in it.
  for (const entry of [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    parts.push(packed(entry, inode++));
  }
  parts.push(record(TRAILER, 0, 0, new Uint8Array(0)));
  return Buffer.concat(parts);
}

function foldersOf({ path }: InitramfsEntry): InitramfsEntry[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => ({ kind: 'folder', path: names.slice(0, index + 1).join('/') }));
}

function packed(entry: InitramfsEntry, inode: number): Buffer {
  const { path } = entry;
  const nothing = new Uint8Array(0);
  if (entry.kind === 'folder') return record(path, inode, MODES.folder, nothing);
  if (entry.kind === 'device') return record(path, inode, MODES.device, nothing, entry);
  if (entry.kind === 'link') return record(path, inode, MODES.link, new TextEncoder().encode(entry.target));
  return record(path, inode, entry.executable === true ? MODES.executable : MODES.file, entry.data);
}

function record(
  path: string,
  inode: number,
  mode: number,
  data: Uint8Array,
  device: { readonly major: number; readonly minor: number } = { major: 0, minor: 0 },
): Buffer {
  const name = new TextEncoder().encode(`${path}\0`);
  const owner = 0;
  const links = 1;
  const time = 0;
  const onDevice = 0;
  const checksum = 0; // Only the format "070702" has one.
  const fields = [inode, mode, owner, owner, links, time, data.length, onDevice, onDevice];
  fields.push(device.major, device.minor, name.length, checksum);
  const header = MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return Buffer.concat([aligned(Buffer.concat([Buffer.from(header), name])), aligned(data)]);
}

function aligned(data: Uint8Array): Buffer {
  const length = Math.ceil(data.length / ALIGNMENT) * ALIGNMENT;
  return Buffer.concat([data], length);
}
