import { RmkError } from '@rmk/core';
import type { Clint } from '../devices/clint.js';
import type { HartState } from '../hart/hartState.js';
import { INTERRUPT_MACHINE_TIMER } from '../hart/privileged.js';
import { canTakeTimerInterrupt, takeInterrupt } from '../hart/trap.js';
import type { GuestMemory } from '../memory/guestMemory.js';
import { forceMemory, forceRegister, type Force, type StuckBit, type StuckPlace } from './stuckBit.js';

interface Sticking {
  /** Undefined for memory, which all cores share. */
  readonly core: number | undefined;
  readonly force: Force;
  forced: number;
}

/**
 * Faults of the hardware that a VM runs on. They are no part of the guest's state: a rollback or restart leaves stuck
 * bits where they are, and they act on what it restored.
 */
export class HardwareFaults {
  private all: readonly Sticking[] = [];
  /** Those that act on the core that the VM runs on. */
  private acting: readonly Sticking[] = [];
  private presentCore = 0;

  constructor(
    private readonly state: HartState,
    private readonly clint: Clint,
    private readonly memory: GuestMemory,
    private readonly offsetOf: (address: number, bytes: number) => number,
  ) {}

  /** The host core that the VM runs on; 0 at first. */
  get core(): number {
    return this.presentCore;
  }

  /** Moves the VM to another host core, which has none of the stuck registers of this one. */
  moveTo(core: number): void {
    if (!Number.isInteger(core) || core < 0)
      throw new RmkError('RMK_ERR_INPUT', `there is no core ${core}; give a whole number of 0 or more`);
    this.presentCore = core;
    this.choose();
  }

  /**
   * Holds a bit at a value from now on: after each instruction, and whatever a rollback restores. `RMK_ERR_INPUT` for a
   * bit that cannot change, `RMK_ERR_ADDRESS` outside of RAM.
   */
  stick(place: StuckPlace): StuckBit {
    const sticking: Sticking =
      'register' in place
        ? {
            core: place.core ?? this.presentCore,
            force: forceRegister(this.state, place.register, place.bit, place.value),
            forced: 0,
          }
        : {
            core: undefined,
            force: forceMemory(this.memory, this.offsetOf(place.address, 1), place.bit, place.value),
            forced: 0,
          };
    this.all = [...this.all, sticking];
    this.choose();
    this.force();
    return {
      get forced() {
        return sticking.forced;
      },
      [Symbol.dispose]: () => {
        this.all = this.all.filter((other) => other !== sticking);
        this.choose();
      },
    };
  }

  /**
   * The timer interrupt that the guest has programmed never comes, unless it programs another one. False if it has
   * programmed none. A rollback to before brings it back.
   */
  loseTimerInterrupt(): boolean {
    return this.clint.loseInterrupt();
  }

  /**
   * Delivers a timer interrupt that the timer did not raise, as if the last one came twice. False if the guest does not
   * take timer interrupts now.
   */
  repeatTimerInterrupt(): boolean {
    const { state } = this;
    if (state.exited || !canTakeTimerInterrupt(state)) return false;
    state.waiting = false;
    takeInterrupt(state, INTERRUPT_MACHINE_TIMER);
    return true;
  }

  /** @internal */
  get isSticking(): boolean {
    return this.acting.length > 0;
  }

  /** @internal On core 0, and nothing sticks on any core. */
  get isSound(): boolean {
    return this.all.length === 0 && this.presentCore === 0;
  }

  /** @internal */
  force(): void {
    for (const sticking of this.acting) if (sticking.force()) sticking.forced += 1;
  }

  /** @internal Sound hardware, on core 0. */
  clear(): void {
    this.all = [];
    this.presentCore = 0;
    this.choose();
  }

  private choose(): void {
    this.acting = this.all.filter(({ core }) => core === undefined || core === this.presentCore);
  }
}
