import { expect, it } from 'vitest';
import { compareWithQemu } from './compareWithQemu.js';
import { everyInstruction } from './everyInstruction.js';
import { MNEMONICS } from './instruction.js';
import { describeOracle } from './qemu.js';

/** Of QEMU, so that it is ended before the test is given up. */
const TIMEOUT = 120_000;
const MORE_THAN_IT_HAS = 30_000;

describeOracle('every instruction', () => {
  it('oracle: does on corner cases what it does under QEMU', { timeout: 2 * TIMEOUT }, async () => {
    const report = await compareWithQemu({
      ...everyInstruction(),
      stretches: [{ afterTraps: 0, until: MORE_THAN_IT_HAS }],
      timeout: TIMEOUT,
    });
    expect(report.ended).toBe(true);
    expect([...report.mnemonics].toSorted()).toEqual([...MNEMONICS, 'illegal'].toSorted());
    expect(report.userInstructions).toBeGreaterThan(40);
    expect(report.exceptions).toBeGreaterThan(50);
    expect(report.interrupts).toBe(1);
  });
});
