import { expect, it } from 'vitest';
import { compareWithQemu } from './compareWithQemu.js';
import { EmbeddedHart } from './embeddedHart.js';
import { everyInstruction } from './everyInstruction.js';
import type { OracleGuest } from './guest.js';
import { mnemonic, rd } from './instruction.js';
import { describeOracle } from './qemu.js';
import { PC } from './registers.js';

/** Of QEMU, so that it is ended before the test is given up. */
const TIMEOUT = 60_000;
const STRETCHES = [1000, 2000, 15_600].map((until) => ({ afterTraps: 0, until }));

/** The embedded hart with a bug in one instruction. */
class BrokenHart extends EmbeddedHart {
  constructor(
    guest: OracleGuest,
    private readonly instruction: string,
    private readonly bug: (hart: EmbeddedHart, word: number) => void,
  ) {
    super(guest);
  }

  override step(): void {
    const word = this.wordAt(this.registers[PC] ?? 0);
    super.step();
    if (mnemonic(word) === this.instruction) this.bug(this, word);
  }
}

interface Bug {
  readonly what: string;
  readonly instruction: string;
  readonly bug: (hart: EmbeddedHart, word: number) => void;
  readonly found: RegExp;
}

const BUGS: readonly Bug[] = [
  {
    what: 'a result that is wrong for one pair of operands',
    instruction: 'sltu',
    bug: (hart, word) => {
      const [left, right] = [(word >>> 15) & 31, (word >>> 20) & 31].map(
        (index) => hart.registers[index] ?? 0,
      );
      if (left === 0x7fff_ffff && right === 0x8000_0000) hart.setRegister(rd(word), 0);
    },
    found: /at 0x\w+ \(sltu, 0x\w+\): x21 is 0x00000000, under QEMU 0x00000001$/,
  },
  {
    what: 'a branch that falls through',
    instruction: 'bltu',
    bug: (hart, word) => {
      if (((word >>> 15) & 31) === 5) hart.setPc((hart.registers[PC] ?? 0) - 4);
    },
    found: /\(bltu, 0x\w+\): pc is 0x\w+, under QEMU 0x\w+$/,
  },
  {
    what: 'a store that changes another place too',
    instruction: 'sb',
    bug: (hart) => (hart.ram[0x12_3456] = 1),
    found: /: the word at 0x80123454 is 0x00010000, under QEMU 0x00000000$/,
  },
  {
    what: 'a trap that notes the wrong address',
    instruction: 'ecall',
    bug: (hart) => hart.setControl('mepc', hart.control.mepc + 4),
    found: /\(ecall, 0x00000073\): mepc is 0x\w+, under QEMU 0x\w+$/,
  },
];

describeOracle('the comparison finds planted bugs', () => {
  it.concurrent.each(BUGS)('oracle: $what', { timeout: 2 * TIMEOUT }, async ({ instruction, bug, found }) => {
    const comparison = compareWithQemu({
      ...everyInstruction(),
      stretches: STRETCHES,
      timeout: TIMEOUT,
      hart: (guest) => new BrokenHart(guest, instruction, bug),
    });
    await expect(comparison).rejects.toThrow(found);
  });

  it('oracle: a file that is loaded wrongly', { timeout: 2 * TIMEOUT }, async () => {
    const comparison = compareWithQemu({
      ...everyInstruction(),
      stretches: STRETCHES,
      timeout: TIMEOUT,
      hart: (guest) => {
        const hart = new EmbeddedHart(guest);
        hart.ram[0x1002] = 0xff;
        return hart;
      },
    });
    await expect(comparison).rejects.toThrow(/^after 0 instructions, .*: the word at 0x80001000 is/);
  });
});
