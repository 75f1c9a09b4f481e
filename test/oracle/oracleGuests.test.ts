import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUESTS } from '@rmk/guests';
import { describe, expect, it } from 'vitest';
import { guestsIn, ownGuests } from './oracleGuests.js';
import { withPrivateFolder } from './privateFolder.js';

describe('oracle: the guests that are compared', () => {
  it('oracle: are all that come with RMK, each with what it takes', () => {
    expect(ownGuests().map(({ name }) => name)).toEqual(Object.keys(GUESTS));
    for (const { name, bootData, input } of ownGuests()) {
      const { takesBootFile, takesInput } = GUESTS[name as keyof typeof GUESTS];
      expect([bootData !== undefined, input !== undefined]).toEqual([takesBootFile, takesInput]);
    }
  });

  it('oracle: and a user’s, with what lies beside them', () =>
    withPrivateFolder(async (folder) => {
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(() => guestsIn(folder)).toThrow(`there is no file *.elf in ${folder}`);
      for (const file of ['b.elf', 'a.elf', 'a.input', 'a@81000000.bin', 'a@8100F000.bin', 'notes.txt']) {
        writeFileSync(join(folder, file), file);
      }
      const text = (bytes?: Uint8Array) => new TextDecoder().decode(bytes);
      const [a, b, ...others] = guestsIn(folder, 8);
      expect(others).toEqual([]);
      expect([a?.name, text(a?.elf), text(a?.input), a?.memoryBytes]).toEqual([
        'a',
        'a.elf',
        'a.input',
        8 << 20,
      ]);
      expect(a?.bootData?.map(({ address, data }) => [address, text(data)])).toEqual([
        [0x8100_0000, 'a@81000000.bin'],
        [0x8100_f000, 'a@8100F000.bin'],
      ]);
      expect([b?.name, b?.input, b?.bootData]).toEqual(['b', undefined, []]);
    }));
});
