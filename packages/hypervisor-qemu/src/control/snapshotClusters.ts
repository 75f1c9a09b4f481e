import { open, type FileHandle } from 'node:fs/promises';
import { RmkError } from '@rmk/core';

/** Where a qcow2 file keeps the device state of its only snapshot. */
export interface SnapshotClusters {
  readonly clusterBytes: number;
  /** Offsets in the file, in the order of the stream. */
  readonly offsets: readonly number[];
}

const MAGIC = 0x514649fb;
const HEADER_BYTES = 72;
const OFFSET_BITS = 0x00fffffffffffe00n;
const LONGEST_TABLE = 1 << 20;

/**
 * The clusters of the state of a snapshot in a qcow2 file, which follow those of the (small) disk in its tables.
 * Undefined if it has no snapshot. Throws `RMK_ERR_HYPERVISOR` if the file is not as QEMU writes it.
 */
export async function snapshotClusters(path: string): Promise<SnapshotClusters | undefined> {
  const file = await open(path, 'r');
  try {
    return await clustersOf(file, path);
  } finally {
    await file.close();
  }
}

async function clustersOf(file: FileHandle, path: string): Promise<SnapshotClusters | undefined> {
  const header = await readAt(file, path, 0, HEADER_BYTES);
  const clusterBits = header.readUInt32BE(20);
  if (header.readUInt32BE(0) !== MAGIC || clusterBits < 9 || clusterBits > 21) throw notUnderstood(path);
  if (header.readUInt32BE(60) === 0) return undefined;
  const clusterBytes = 1 << clusterBits;
  const entries = clusterBytes / 8;
  const snapshot = await readAt(file, path, Number(header.readBigUInt64BE(64)), 12);
  const firstTable = Math.ceil(Number(header.readBigUInt64BE(24)) / (entries * clusterBytes));
  const tables = await readTable(file, path, snapshot.readBigUInt64BE(0), snapshot.readUInt32BE(8));
  const offsets: number[] = [];
  for (const table of tables.slice(firstTable)) {
    if (table === 0n) break;
    const clusters = await readTable(file, path, table, entries);
    const used = clusters.indexOf(0n);
    offsets.push(...(used < 0 ? clusters : clusters.slice(0, used)).map(Number));
    if (used >= 0) break;
  }
  if (offsets.length === 0) throw notUnderstood(path);
  return { clusterBytes, offsets };
}

async function readTable(
  file: FileHandle,
  path: string,
  at: bigint,
  entries: number,
): Promise<readonly bigint[]> {
  const table = await readAt(file, path, Number(at), entries * 8);
  return Array.from({ length: entries }, (_, index) => table.readBigUInt64BE(index * 8) & OFFSET_BITS);
}

async function readAt(file: FileHandle, path: string, at: number, bytes: number): Promise<Buffer> {
  if (bytes > LONGEST_TABLE || !Number.isSafeInteger(at)) throw notUnderstood(path);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, at);
  if (bytesRead !== bytes) throw notUnderstood(path);
  return buffer;
}

function notUnderstood(path: string): RmkError {
  return new RmkError(
    'RMK_ERR_HYPERVISOR',
    `${path} is not a qcow2 file with one snapshot of a VM as QEMU writes it`,
  );
}
