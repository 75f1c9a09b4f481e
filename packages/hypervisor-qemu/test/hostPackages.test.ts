import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { commandNeed, commandPath, installMissing, linuxGuest, missingNeeds } from '@rmk/hypervisor-qemu';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from './temporaryFolder.js';
import { privateFolder } from '../src/process/privateCache.js';

const absent = commandNeed('no-such-command', 'no-such-package');
const present = commandNeed('node', 'nodejs');

describe('What must be on this machine', () => {
  it('is found on the search path, and missing where it is not', async () => {
    expect(commandPath('node')).toMatch(/\/node$/);
    expect(commandPath('no-such-command')).toBeUndefined();
    expect(await missingNeeds([present, absent])).toEqual([absent]);
  });

  it('is named with the exact command to run, where it may not be installed', async () => {
    const said: string[] = [];
    const setUp = { install: false, progress: (doing: string) => void said.push(doing) };
    await expect(installMissing([present, absent, absent], setUp)).rejects.toThrow(
      /^RMK_ERR_NOTINSTALLED: not installed: .*apt-get install --no-install-recommends no-such-package$/,
    );
    expect(said).toEqual([]);
    await expect(installMissing([present], setUp)).resolves.toBeUndefined();
  });
});

describe('The cache of the demo guest', () => {
  it('is private, and one that others may write to is refused', async () => {
    const folder = join(await temporaryFolder(), 'cache');
    expect(await privateFolder(folder)).toBe(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await chmod(folder, 0o777);
    await expect(privateFolder(folder)).rejects.toThrow('others may write to it');
  });

  it('cannot be filled where there is no apt', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    try {
      const cache = join(await temporaryFolder(), 'cache');
      await expect(linuxGuest({ cache })).rejects.toThrow(/^RMK_ERR_PLATFORM: .*this system has no apt-get/);
      await expect(stat(cache)).rejects.toThrow('ENOENT');
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
