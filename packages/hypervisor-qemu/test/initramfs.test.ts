import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { initramfs, type InitramfsEntry } from '../src/linuxGuest/initramfs.js';

/** Reads an archive as the kernel's documentation describes it, without a look at what wrote it. */
function unpack(
  archive: Buffer,
): Map<string, { mode: number; data: string; inode: number; device: [number, number] }> {
  const found = new Map<string, { mode: number; data: string; inode: number; device: [number, number] }>();
  let at = 0;
  const next = (): number => {
    const text = archive.toString('latin1', at, at + 8);
    at += 8;
    expect(text).toMatch(/^[0-9a-f]{8}$/);
    return Number.parseInt(text, 16);
  };
  for (;;) {
    expect(at % 4).toBe(0);
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    at += 6;
    const [inode, mode, , , , , size, , , major, minor, nameSize] = Array.from({ length: 13 }, next);
    const name = archive.toString('utf8', at, at + (nameSize ?? 0) - 1);
    at = (at + (nameSize ?? 0) + 3) & ~3;
    const data = archive.toString('hex', at, at + (size ?? 0));
    at = (at + (size ?? 0) + 3) & ~3;
    if (name === 'TRAILER!!!') break;
    expect(found.has(name)).toBe(false);
    const parent = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : undefined;
    if (parent !== undefined) expect(found.get(parent)?.mode).toBe(0o040755);
    found.set(name, { mode: mode ?? 0, data, inode: inode ?? 0, device: [major ?? 0, minor ?? 0] });
  }
  expect(at).toBe(archive.length);
  return found;
}

const name = fc.stringMatching(/^[a-z]{1,6}$/);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));

describe('initramfs', () => {
  it('packs every file with its content, behind the folders that it lies in, each once', () => {
    fc.assert(
      fc.property(fc.dictionary(path, fc.uint8Array({ maxLength: 40 })), (contents) => {
        // A path that is a folder of another cannot be a file too.
        const files = Object.entries(contents).filter(
          ([file]) => !Object.keys(contents).some((other) => other.startsWith(`${file}/`)),
        );
        const entries = files.map(([file, data]): InitramfsEntry => ({ kind: 'file', path: file, data }));
        const unpacked = unpack(initramfs(entries));
        for (const [file, data] of files) {
          expect(unpacked.get(file)).toMatchObject({
            mode: 0o100644,
            data: Buffer.from(data).toString('hex'),
          });
        }
        const notFolders = [...unpacked].filter(([, { mode }]) => mode !== 0o040755);
        expect(notFolders).toHaveLength(files.length);
        expect(new Set([...unpacked.values()].map(({ inode }) => inode)).size).toBe(unpacked.size);
      }),
    );
  });

  it('packs programs, links and devices as what they are', () => {
    const unpacked = unpack(
      initramfs([
        { kind: 'file', path: 'bin/sh', data: Buffer.from('#!'), executable: true },
        { kind: 'link', path: 'bin/ls', target: 'sh' },
        { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
      ]),
    );
    expect(unpacked.get('bin/sh')?.mode).toBe(0o100755);
    expect(unpacked.get('bin/ls')).toMatchObject({ mode: 0o120777, data: Buffer.from('sh').toString('hex') });
    expect(unpacked.get('dev/console')).toMatchObject({ mode: 0o020600, device: [5, 1] });
  });
});
