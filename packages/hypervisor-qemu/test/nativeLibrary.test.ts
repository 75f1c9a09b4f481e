import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { buildNativeLibrary } from '../src/process/nativeLibrary.js';
import { temporaryFolder } from './temporaryFolder.js';

test('builds the library once, into a folder of its own', async () => {
  const cacheFolder = join(await temporaryFolder(), 'rmk');
  const [first, second] = await Promise.all([
    buildNativeLibrary({ cacheFolder }),
    buildNativeLibrary({ cacheFolder }),
  ]);
  expect(second).toBe(first);
  expect(await readdir(dirname(first))).toHaveLength(1);
  expect((await stat(dirname(first))).mode & 0o777).toBe(0o700);
  const built = (await stat(first)).mtimeMs;
  expect(await buildNativeLibrary({ cacheFolder })).toBe(first);
  expect((await stat(first)).mtimeMs).toBe(built);
});

test('says what to install where there is no compiler', async () => {
  const empty = await temporaryFolder();
  const building = buildNativeLibrary({ cacheFolder: await temporaryFolder(), path: empty });
  await expect(building).rejects.toThrow(
    /RMK_ERR_COMPILER: .* no C compiler "cc" is installed in .*apt-get install gcc libc6-dev/s,
  );
});

test('shows what the compiler says where it fails, and leaves nothing behind', async () => {
  const [cacheFolder, path] = [await temporaryFolder(), await temporaryFolder()];
  const compiler = join(path, 'cc');
  const script =
    '#!/bin/sh\n[ "$1" = --version ] && echo broken 1.0 && exit\necho "no headers here" >&2\nexit 1\n';
  await writeFile(compiler, script, { mode: 0o755 });
  const building = buildNativeLibrary({ cacheFolder, path: `${path}:/usr/bin:/bin` });
  await expect(building).rejects.toThrow(/RMK_ERR_COMPILER: .*no headers here/s);
  expect(await readdir(cacheFolder)).toEqual([]);
});

test('does not load what others could have written', async () => {
  const cacheFolder = join(await temporaryFolder(), 'open');
  await mkdir(cacheFolder);
  await chmod(cacheFolder, 0o777);
  await expect(buildNativeLibrary({ cacheFolder })).rejects.toThrow(/RMK_ERR_COMPILER: .*written by/);
});
