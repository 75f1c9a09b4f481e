import { RmkError } from '@rmk/core';
import { BOOT_FILE_ADDRESS, BOOT_FILE_MAX_BYTES, bootFile } from '@rmk/guests';
import { describe, expect, it } from 'vitest';

/** What `work` throws. */
function refusal(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

describe('bootFile', () => {
  it('puts magic bytes and length before the contents', () => {
    expect(bootFile(Uint8Array.of(7, 8, 9), 'three.bin')).toEqual({
      address: BOOT_FILE_ADDRESS,
      data: Uint8Array.of(0x52, 0x4d, 0x4b, 0x46, 3, 0, 0, 0, 7, 8, 9),
    });
  });

  it('writes the length least significant byte first', () => {
    const { data } = bootFile(new Uint8Array(0x01_02_03), 'long.bin');
    expect([...data.subarray(4, 8)]).toEqual([0x03, 0x02, 0x01, 0]);
  });

  it('keeps nothing of the array that it was given', () => {
    const contents = Uint8Array.of(1, 2);
    const { data } = bootFile(contents, 'two.bin');
    contents.fill(0);
    expect([...data.subarray(8)]).toEqual([1, 2]);
  });

  it('takes a file of the greatest length', () => {
    expect(bootFile(new Uint8Array(BOOT_FILE_MAX_BYTES), 'full.bin').data).toHaveLength(
      BOOT_FILE_MAX_BYTES + 8,
    );
  });

  it.each([
    ['an empty file', 0, 'RMK_ERR_INPUT: a.txt: the file is empty; give the compressor one with contents'],
    [
      'one byte more',
      BOOT_FILE_MAX_BYTES + 1,
      'RMK_ERR_INPUT: a.txt: the file has 4194305 bytes; give the compressor one of at most 4194304',
    ],
  ])('refuses %s', (_, bytes, message) => {
    const error = refusal(() => bootFile(new Uint8Array(bytes), 'a.txt'));
    expect(error).toBeInstanceOf(RmkError);
    expect(error).toMatchObject({ code: 'RMK_ERR_INPUT', message });
  });
});
