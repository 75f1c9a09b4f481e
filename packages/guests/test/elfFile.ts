/** The parts of an ELF32 file that the tests look at, read by the letter of the System V ABI. */
export class ElfFile {
  readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  half(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  word(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  /** What is loaded: guest-physical addresses and bytes in the file and in memory. */
  get segments(): { offset: number; address: number; fileBytes: number; memoryBytes: number }[] {
    const LOAD = 1;
    return this.table(28, 42, 44)
      .filter((at) => this.word(at) === LOAD)
      .map((at) => ({
        offset: this.word(at + 4),
        address: this.word(at + 12),
        fileBytes: this.word(at + 16),
        memoryBytes: this.word(at + 20),
      }));
  }

  get symbols(): Map<string, number> {
    const symbols = new Map<string, number>();
    const { offset, bytes, link } = this.sectionNamed('.symtab');
    const names = this.section(link);
    for (let at = offset; at < offset + bytes; at += 16) {
      symbols.set(this.text(names.offset + this.word(at)), this.word(at + 4));
    }
    return symbols;
  }

  sectionNamed(name: string): { offset: number; bytes: number; link: number } {
    const names = this.section(this.half(50));
    const at = this.table(32, 46, 48).find((header) => this.text(names.offset + this.word(header)) === name);
    if (at === undefined) throw new Error(`the ELF has no section ${name}`);
    return { offset: this.word(at + 16), bytes: this.word(at + 20), link: this.word(at + 24) };
  }

  /** The word that lies at an address when the file has been loaded. */
  wordAt(address: number): number {
    const segment = this.segments.find(
      (one) => address >= one.address && address + 4 <= one.address + one.fileBytes,
    );
    if (segment === undefined) throw new Error(`nothing of the ELF is loaded to ${address.toString(16)}`);
    return this.word(segment.offset + address - segment.address);
  }

  text(offset: number): string {
    return Buffer.from(this.bytes.subarray(offset, this.bytes.indexOf(0, offset))).toString();
  }

  /**
   * Offsets of a table's entries, given where the ELF header says where it is, how long an entry is and how many there
   * are.
   */
  private table(startAt: number, entryBytesAt: number, countAt: number): number[] {
    return Array.from(
      { length: this.half(countAt) },
      (_, index) => this.word(startAt) + index * this.half(entryBytesAt),
    );
  }

  private section(index: number): { offset: number; bytes: number; link: number } {
    const at = this.word(32) + index * this.half(46);
    return { offset: this.word(at + 16), bytes: this.word(at + 20), link: this.word(at + 24) };
  }
}
