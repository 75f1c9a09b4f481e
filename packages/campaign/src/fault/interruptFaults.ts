import { z } from 'zod';
import { defineFault, type Injected } from './faultKind.js';

const none = z.strictObject({});
const STEP = '10us';
/** A guest that takes no interrupt for 10 ms gets none. */
const MOST_STEPS = 1000;

export const interruptLost = defineFault({
  name: 'interrupt-lost',
  summary: 'the timer interrupt that the guest has programmed does not come',
  options: none,
  draw: () => ({}),
  inject: async ({ machine }) => done(machine.hardware.loseTimerInterrupt()),
  describe: () => 'the timer interrupt is lost',
});

export const interruptDuplicate = defineFault({
  name: 'interrupt-duplicate',
  summary: 'a timer interrupt comes that the timer did not raise, as if the last one came twice',
  options: none,
  needsTime: true,
  draw: () => ({}),
  async inject({ machine, advance }) {
    for (let step = 0; step < MOST_STEPS && machine.exitCode === undefined; step++) {
      if (machine.hardware.repeatTimerInterrupt()) return done(true);
      await advance(STEP);
    }
    return done(false);
  },
  describe: () => 'a duplicate timer interrupt',
});

function done(hasActed: boolean): Injected {
  return { isPending: false, hasActed, [Symbol.dispose]: () => {} };
}
