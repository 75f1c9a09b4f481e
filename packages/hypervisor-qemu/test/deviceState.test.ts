import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { snapshotClusters } from '../src/control/snapshotClusters.js';
import { nameOffsets, unexplainedOffsets } from '../src/control/stateSections.js';
import { temporaryFolder } from './temporaryFolder.js';

/** A full section of QEMU's stream: its number, the device, and `bytes` of state with the footer. */
function section(number: number, device: string, bytes: number): Buffer {
  return Buffer.concat([
    Buffer.of(4, 0, 0, 0, number, device.length),
    Buffer.from(device, 'latin1'),
    Buffer.alloc(bytes),
    Buffer.of(0x7e, 0, 0, 0, number),
  ]);
}

describe('The stream of a device state', () => {
  const cpu = section(0, 'cpu_common', 20);
  const clock = section(1, 'mc146818rtc', 280);
  const timer = section(2, 'i8254', 30);
  const stream = Buffer.concat([Buffer.alloc(8), cpu, clock, timer]);
  const clockAt = 8 + cpu.length;
  const timerAt = clockAt + clock.length;

  it('names the device of an offset, and how far into its section it lies', () => {
    expect(nameOffsets(stream, [0, 7, 8, clockAt - 1, clockAt, timerAt + 21])).toEqual([
      '+0',
      '+7',
      'cpu_common+0',
      `cpu_common+${cpu.length - 1}`,
      'mc146818rtc+0',
      'i8254+21',
    ]);
  });

  it('takes a 4 for a section only behind a footer, with a name that can be read', () => {
    const inner = section(1, 'abc', 0);
    const deceptive = Buffer.concat([
      Buffer.alloc(8),
      section(0, 'outer', 3).subarray(0, -5),
      inner.subarray(0, -5),
      Buffer.of(0x7e, 0, 0, 0, 0),
      section(2, 'a b', 1),
      section(3, '', 1),
    ]);
    const last = deceptive.length - 1;
    expect(nameOffsets(deceptive, [20, last])).toEqual(['outer+12', `outer+${last - 8}`]);
  });

  it('is understood in any view of its memory', () => {
    const padded = Buffer.concat([Buffer.alloc(3), stream]);
    expect(nameOffsets(padded.subarray(3), [clockAt])).toEqual(['mc146818rtc+0']);
  });

  it('has differences that are explained: those of a clock that goes by the host', () => {
    const registers = clockAt + 25;
    const explained = [0, 2, 4, 6, 7, 8, 9, 0x32, 0x0c, 229, 244].map((register) => registers + register);
    expect(unexplainedOffsets(stream, explained)).toEqual([]);
    const others = [1, 3, 5, 0x0a, 0x0b, 0x0d, 0x31, 228, 245].map((register) => registers + register);
    expect(unexplainedOffsets(stream, others)).toEqual(others);
    expect(unexplainedOffsets(stream, [8, timerAt])).toEqual([8, timerAt]);
    const withoutClock = Buffer.concat([Buffer.alloc(8), cpu]);
    expect(unexplainedOffsets(withoutClock, [9])).toEqual([9]);
  });
});

describe('The snapshot in a qcow2 file', () => {
  const CLUSTER = 512;
  const ENTRIES = CLUSTER / 8;
  /** Of a disk of two tables; what follows belongs to the state. */
  const DISK_BYTES = 2 * ENTRIES * CLUSTER;

  interface Image {
    readonly magic?: number;
    readonly clusterBits?: number;
    readonly snapshots?: number;
    readonly diskBytes?: number;
    /** Tables of the snapshot, each with its clusters; undefined: none at this place. */
    readonly tables?: readonly (readonly number[] | undefined)[];
    readonly cutTo?: number;
  }

  async function image(options: Image): Promise<string> {
    const { magic = 0x514649fb, clusterBits = 9, snapshots = 1 } = options;
    const cluster = 1 << clusterBits;
    const { diskBytes = 2 * (cluster / 8) * cluster } = options;
    const tables = options.tables ?? [[1], [1], [10, 11, 12]];
    const file = Buffer.alloc((4 + tables.length) * cluster);
    file.writeUInt32BE(magic, 0);
    file.writeUInt32BE(clusterBits, 20);
    file.writeBigUInt64BE(BigInt(diskBytes), 24);
    file.writeUInt32BE(snapshots, 60);
    file.writeBigUInt64BE(BigInt(cluster), 64);
    file.writeBigUInt64BE(BigInt(2 * cluster), cluster);
    file.writeUInt32BE(tables.length, cluster + 8);
    for (const [index, clusters] of tables.entries()) {
      const table = (3 + index) * cluster;
      // The highest bit says that nobody else uses the cluster.
      if (clusters !== undefined) file.writeBigUInt64BE((1n << 63n) | BigInt(table), 2 * cluster + index * 8);
      for (const [entry, number] of (clusters ?? []).entries()) {
        file.writeBigUInt64BE((1n << 63n) | BigInt(number * cluster), table + entry * 8);
      }
    }
    const path = join(await temporaryFolder(), 'state.qcow2');
    await writeFile(path, file.subarray(0, options.cutTo ?? file.length));
    return path;
  }

  it('keeps the state in the clusters behind the disk, in their order', async () => {
    expect(await snapshotClusters(await image({}))).toEqual({
      clusterBytes: CLUSTER,
      offsets: [10, 11, 12].map((cluster) => cluster * CLUSTER),
    });
  });

  it('goes on in the next table where one is full, and ends at the first place without a cluster', async () => {
    const full = Array.from({ length: ENTRIES }, (_, index) => 20 + index);
    const state = [full, [7, 8], [9]];
    const found = await snapshotClusters(await image({ tables: [[1], [1], ...state] }));
    expect(found?.offsets).toEqual([...full, 7, 8].map((cluster) => cluster * CLUSTER));
    const short = await snapshotClusters(await image({ tables: [[1], [1], full, undefined, [9]] }));
    expect(short?.offsets).toEqual(full.map((cluster) => cluster * CLUSTER));
  });

  it('begins in the table behind the disk, also where the disk does not fill its last one', async () => {
    const found = await snapshotClusters(await image({ diskBytes: DISK_BYTES - 1 }));
    expect(found?.offsets).toEqual([10, 11, 12].map((cluster) => cluster * CLUSTER));
    const larger = await snapshotClusters(await image({ diskBytes: DISK_BYTES - ENTRIES * CLUSTER }));
    expect(larger?.offsets).toEqual([CLUSTER]);
  });

  it('may be missing', async () => {
    expect(await snapshotClusters(await image({ snapshots: 0 }))).toBeUndefined();
  });

  it.each<[string, Image]>([
    ['another magic number', { magic: 1 }],
    ['clusters that are too small', { clusterBits: 8 }],
    ['no state', { tables: [[1], [1]] }],
    ['a table that is cut off', { cutTo: 5 * CLUSTER + 8 }],
    ['a header that is cut off', { cutTo: 71 }],
  ])('is refused where it is not understood: %s', async (_, options) => {
    await expect(snapshotClusters(await image(options))).rejects.toThrow(
      'is not a qcow2 file with one snapshot of a VM as QEMU writes it',
    );
  });
});
