import { RmkError } from '@rmk/core';

/** Bytes of the file that go to guest memory, followed by zeros up to `memoryBytes`. */
export interface ElfSegment {
  /** Guest-physical. */
  readonly address: number;
  /** A view into the file. */
  readonly data: Uint8Array;
  /** At least the length of `data`. */
  readonly memoryBytes: number;
}

export interface ElfImage {
  /** What the errors call it. */
  readonly source: string;
  readonly entry: number;
  readonly segments: readonly ElfSegment[];
  /** Address of each named symbol; empty for a stripped file. */
  readonly symbols: ReadonlyMap<string, number>;
}

/** @throws RmkError `RMK_ERR_ELF` that says what is wrong with the file and what is needed. */
export function parseElf(_bytes: Uint8Array, source: string): ElfImage {
  throw new RmkError('RMK_ERR_ELF', source);
}

/** @throws RmkError `RMK_ERR_ELF` where a segment lies outside the guest's RAM. */
export function checkFits(image: ElfImage, _base: number, _bytes: number): void {
  throw new RmkError('RMK_ERR_ELF', image.source);
}
