import type { DifferentValue, ExperimentRecord, FirstDifference, GuestUnderTest } from '@rmk/campaign';
import { Command } from 'commander';
import { ExitCode } from '../exitCode.js';
import { wholeOption } from '../model/optionValues.js';
import type { Terminal } from '../terminal.js';
import { journalledExperiment } from './journalledExperiment.js';

/** `rmk inject why`: shows where an experiment of a journal first differs from the golden run. */
export function whyCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('why')
    .description('show the first instruction at which an experiment differs from the golden run')
    .argument('<journal>', 'of rmk inject')
    .argument('<number>', 'of the experiment', wholeOption)
    .action(async (path: string, number: number) => {
      const { campaign, guest, recorded } = await journalledExperiment(path, number);
      terminal.out(explanation(recorded, await campaign.firstDifference(number), (at) => guest.symbolAt(at)));
      done(ExitCode.DONE);
    });
}

function explanation(
  { number, what, injected, firstUse, outcome }: ExperimentRecord,
  difference: FirstDifference | undefined,
  symbolAt: GuestUnderTest['symbolAt'],
): string {
  const at = (address: number): string => `${hex(address)}${named(symbolAt(address))}`;
  const lines = [
    `experiment ${number}: ${what}: ${outcome}`,
    `injected     ${ms(injected.guestNs)}, instruction ${injected.instructions}`,
    ...(firstUse === undefined
      ? []
      : [`first use    ${firstUse.how}, ${firstUse.afterInstructions} instructions after the injection`]),
  ];
  if (difference === undefined)
    return `${[...lines, 'differs      in nothing but the flipped place'].join('\n')}\n`;
  const { guestNs, instructions, afterInstructions, pc, registers, memory, other } = difference;
  const values = ({ value, golden }: DifferentValue): string => `${hex(value)} instead of ${hex(golden)}`;
  return `${[
    ...lines,
    `differs      ${ms(guestNs)}, instruction ${instructions}, ${afterInstructions} after the injection`,
    `executing    ${at(Number(pc.value))}${pc.value === pc.golden ? '' : ` instead of ${at(Number(pc.golden))}`}`,
    ...registers.map((register) => `register     ${register.name}: ${values(register)}`),
    ...memory.map((byte) => `memory       ${at(byte.address)}: ${values(byte)}`),
    ...(other ? ['other        devices, guest time, or the positions of input and output'] : []),
  ].join('\n')}\n`;
}

function named(symbol: string | undefined): string {
  return symbol === undefined ? '' : ` <${symbol}>`;
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(5)} ms`;
}
