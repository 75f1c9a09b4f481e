/** A bit that keeps its value, until it is disposed of. */
export interface Sticking extends Disposable {
  /** How often the bit would have had the other value. */
  readonly forced: number;
}

/** What can be wrong with the hardware under a VM. No rollback undoes it. */
export interface Hardware {
  readonly core: number;
  /** Moves the VM to another host core, which has none of the stuck registers of this one. */
  moveTo(core: number): void;
  stick(
    place:
      | { readonly register: string; readonly bit: number; readonly value: 0 | 1 }
      | { readonly address: number; readonly bit: number; readonly value: 0 | 1 },
  ): Sticking;
  /** False if the guest has programmed none. */
  loseTimerInterrupt(): boolean;
  /** False if the guest takes no timer interrupt now. */
  repeatTimerInterrupt(): boolean;
}
