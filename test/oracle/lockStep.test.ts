import { expect, it } from 'vitest';
import { cases } from '../long.js';
import { compareWithQemu } from './compareWithQemu.js';
import type { OracleGuest } from './guest.js';
import type { LockStepReport, Stretch } from './lockStep.js';
import { ownGuests, usersGuests } from './oracleGuests.js';
import { describeOracle } from './qemu.js';

/** The debugger's protocol takes three round trips for each. */
const INSTRUCTIONS = cases(25_000, 100_000);
/** The kernel of `rtos` replaces the trap vector of the start-up code only after that has cleared memory. */
const RTOS_START_UP = 50_000;
/** Of QEMU, so that it is ended before the test is given up. */
const TIMEOUT = 300_000;
/** Start-up, and three places further and further into the work. */
const STRETCHES: readonly Stretch[] = [0, 10, 100, 500].map((afterTraps, index) => ({
  afterTraps,
  until: ((index + 1) * INSTRUCTIONS) / 4,
}));

/** Some of the input with each stretch but the first, and never the last line, which would end the guest. */
function stretchesOf({ name, input }: OracleGuest): readonly Stretch[] {
  if (name === 'rtos')
    return STRETCHES.map((stretch) => ({ ...stretch, until: stretch.until + RTOS_START_UP }));
  if (input === undefined) return STRETCHES;
  const lines = new TextDecoder().decode(input).split('\n').slice(0, -2);
  return STRETCHES.map((stretch, index) => {
    const some = lines.filter((_, line) => line % 8 === index).map((line) => `${line}\n`);
    return index === 0 ? stretch : { ...stretch, input: new TextEncoder().encode(some.join('')) };
  });
}

function summary({ name }: OracleGuest, report: LockStepReport): string {
  const { instructions, userInstructions, exceptions, interrupts, timeInputs, mnemonics } = report;
  return (
    `${name}: ${instructions} instructions of ${mnemonics.size} kinds compared, ${userInstructions} in user mode, ` +
    `with ${exceptions} exceptions, ${interrupts} interrupts and ${timeInputs} reads of time or line\n`
  );
}

describeOracle('in lock-step with QEMU all registers are alike', () => {
  it.concurrent.each(ownGuests())('oracle: $name', { timeout: 2 * TIMEOUT }, async (guest) => {
    const report = await compareWithQemu({ ...guest, stretches: stretchesOf(guest), timeout: TIMEOUT });
    process.stderr.write(summary(guest, report));
    expect(report.instructions).toBeGreaterThanOrEqual(INSTRUCTIONS);
    expect(report.interrupts).toBeGreaterThan(10);
    if (guest.name === 'tasks') {
      expect(report.userInstructions).toBeGreaterThan(INSTRUCTIONS / 4);
      expect(report.exceptions).toBeGreaterThan(0);
    }
  });

  it.concurrent.for(usersGuests())('oracle: $name', { timeout: 2 * TIMEOUT }, async (guest) => {
    const stretches = [{ afterTraps: 0, until: INSTRUCTIONS }];
    const report = await compareWithQemu({ ...guest, stretches, timeout: TIMEOUT });
    process.stderr.write(summary(guest, report));
    expect(report.ended || report.instructions === INSTRUCTIONS).toBe(true);
  });
});
