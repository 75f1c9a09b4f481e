/** Where translated code finds what it works on, as offsets into the memory that begins with guest RAM. */
export interface TranslationLayout {
  /** Guest-physical address of the first byte of RAM, and its size. */
  readonly base: number;
  readonly bytes: number;
  /** 64 KiB pages of the whole memory. */
  readonly wasmPages: number;
  readonly pageState: number;
  /** Whether stores look at the page states. */
  readonly storeCheck: boolean;
  readonly registers: number;
  /** The program counter at which translated code was left. */
  readonly pc: number;
  /** Why it was left: one of `Left` of the translator. */
  readonly left: number;
  /** The region that was left, by its number. */
  readonly leftRegion: number;
  /** The value of a control and status register that was read. */
  readonly csr: number;
  /**
   * Two words for each slot: the number of a region times 4096, and that of its entry which the slot leads to, or 0;
   * and whether execution came through it.
   */
  readonly slotEntries: number;
  readonly slots: number;
  /** Entries of 8 bytes: a program counter and the slot of the region that begins there. */
  readonly jumpCache: number;
  readonly jumpCacheEntries: number;
}
