import { expect, it } from 'vitest';
import { cases } from '../long.js';
import { compareWithQemu } from './compareWithQemu.js';
import type { OracleGuest } from './guest.js';
import type { LockStepReport, Stretch } from './lockStep.js';
import { ownGuests, usersGuests } from './oracleGuests.js';
import { describeOracle } from './qemu.js';

/** Behind start-up. The debugger's protocol takes three round trips for each. */
const INSTRUCTIONS = cases(20_000, 100_000);
/** Until it has cleared memory. The kernel of `rtos` replaces the trap vector of the start-up code only then. */
const startUpOf = (name: string): number => (name === 'rtos' ? 75_000 : 50_000);
/** Of QEMU, so that it is ended before the test is given up. */
const TIMEOUT = 300_000;
/** Start-up, and three places further and further into the work. */
const TRAPS_BEFORE = [0, 10, 100, 500];

/** Some of the input with each stretch but the first, and never the last line, which would end the guest. */
function stretchesOf({ name, input }: OracleGuest): readonly Stretch[] {
  const stretches = TRAPS_BEFORE.map((afterTraps, index) => ({
    afterTraps,
    until: Math.round(startUpOf(name) + (index * INSTRUCTIONS) / (TRAPS_BEFORE.length - 1)),
  }));
  if (input === undefined) return stretches;
  const lines = new TextDecoder().decode(input).split('\n').slice(0, -2);
  return stretches.map((stretch, index) => {
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
    expect(report.instructions).toBeGreaterThanOrEqual(startUpOf(guest.name) + INSTRUCTIONS);
    expect(report.interrupts).toBeGreaterThan(cases(0, 10));
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
