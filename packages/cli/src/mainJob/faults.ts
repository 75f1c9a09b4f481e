import { faults, flipBit, type FaultTarget, type RegisterFlips } from '@rmk/campaign';

/** A fault that the main job injects. */
export interface Fault {
  readonly name: string;
  /** Resolves to what exactly was done, for people. */
  inject(): Promise<string>;
}

/**
 * A wild jump. In a guest with tasks one of them jumps: if the guest were idle, the error would stay in the saved state
 * of its idle loop for many epochs.
 */
export function crash(target: FaultTarget, hasTasks: boolean): Fault {
  return {
    name: 'crash',
    async inject() {
      if (hasTasks) await faults.untilUserMode(target);
      await faults.crash(target);
      return 'a jump to address 0';
    },
  };
}

export function hang(target: FaultTarget): Fault {
  return {
    name: 'hang',
    async inject() {
      await faults.hang(target);
      return 'an endless loop in machine mode, interrupts off';
    },
  };
}

export function taskLoop(target: FaultTarget): Fault {
  return {
    name: 'task loop',
    async inject() {
      await faults.taskLoop(target);
      return 'an endless loop in a user-mode task, timer masked';
    },
  };
}

export function bitFlip(target: FaultTarget, flips: RegisterFlips): Fault {
  const flip = flips.next();
  return {
    name: 'bit flip',
    async inject() {
      await flipBit(target, flip);
      return `bit ${flip.bit} of ${flip.register}`;
    },
  };
}
