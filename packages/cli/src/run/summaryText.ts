import type { Rung } from '@rmk/core';
import Table from 'cli-table3';
import { colour } from '../colour.js';
import type { OutputPlan } from '../config/runPlan.js';
import { durationText } from '../durationText.js';
import { isWell, type GuestSummary, type RunSummary } from './runSummary.js';

const ENDED_BY: Readonly<Record<RunSummary['endedBy'], string>> = {
  guests: 'All guests ended.',
  until: 'Time limit reached.',
  interruption: 'Stopped on request.',
};

/** How a run ended, for people. */
export function summaryText({ endedBy, guests, problems }: RunSummary, output: OutputPlan): string {
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: [
      'guest',
      'exit code',
      'domain time',
      'instructions',
      'checkpoints',
      'page faults',
      'recoveries',
      'work lost',
      'committed',
      'wire',
    ],
  });
  for (const guest of guests) {
    table.push([
      guest.guest,
      endingText(guest),
      durationText(guest.domainNs),
      guest.instructions ?? '-',
      guest.checkpoints,
      guest.pageFaults,
      recoveriesText(guest.recoveries),
      durationText(guest.workLostNs),
      `${guest.committedBytes} bytes`,
      `${guest.wireBytes} bytes`,
    ]);
  }
  return [
    ENDED_BY[endedBy],
    ...(guests.length === 0 ? [] : [table.toString()]),
    ...guests.flatMap(faultLines),
    ...(typeof output === 'string' ? [] : [`Output is in ${output.directory}.`]),
    ...problems.map((problem) => colour.red(problem)),
    '',
  ].join('\n');
}

function faultLines({ guest, faultyPlugins }: GuestSummary): readonly string[] {
  return faultyPlugins.map(({ plugin, faults, isQuarantined }) => {
    const count = faults === 0 ? [] : [`${faults} ${faults === 1 ? 'fault' : 'faults'}`];
    const state = isQuarantined ? ['quarantined: the guest ran on without it'] : [];
    return colour.yellow(`${guest}: plugin ${plugin}: ${[...count, ...state].join(', ')}`);
  });
}

function endingText(guest: GuestSummary): string {
  const code = guest.exitCode === undefined ? [] : [String(guest.exitCode)];
  const text = [...code, ...(guest.ending === 'ended' ? [] : [guest.ending])].join(', ');
  return isWell(guest) ? text : colour.red(text);
}

function recoveriesText(recoveries: Readonly<Record<Rung, number>>): string {
  const text = Object.entries(recoveries)
    .filter(([, count]) => count > 0)
    .map(([rung, count]) => `${rung} ${count}`)
    .join(', ');
  return text === '' ? '-' : text;
}
