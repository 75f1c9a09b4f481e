import Table from 'cli-table3';
import { colour } from './colour.js';
import type { Nanoseconds } from '@rmk/core';
import { durationText } from './durationText.js';
import { lastRecovery, type Incident } from './mainJob/incident.js';
import type { MainJobResult } from './mainJob/mainJob.js';
import type { EpochTotals, ProtectedRun } from './mainJob/protectedRun.js';
import type { Check } from './mainJob/verdict.js';
import { recoveryText } from './recoveryText.js';

const PLAIN = { style: { head: [], border: [], compact: true } };

/** The machine-readable result. Times in milliseconds: domain time, save `durationMs`, which is host time. */
export function startJson({ verdict, runs, algorithms, checks }: MainJobResult): string {
  const incidents = runs.flatMap((run) => run.incidents.map(incidentJson));
  const failedChecks = checks.filter(({ holds }) => !holds);
  const counts = ({
    pageFaults,
    pagesSaved,
    pagesPreSaved,
    preSavedInVain,
    checkpoints,
  }: EpochTotals): object => ({
    pageFaults,
    pagesSaved,
    pagesPreSaved,
    preSavedInVain,
    checkpoints,
  });
  return `${JSON.stringify(
    {
      verdict,
      incidents,
      algorithms: { cowb: counts(algorithms.cowb), cowp: counts(algorithms.cowp) },
      checks: { held: checks.length - failedChecks.length, failed: failedChecks },
    },
    undefined,
    2,
  )}\n`;
}

function incidentJson(incident: Incident): object {
  const record = lastRecovery(incident);
  return {
    guest: incident.guest,
    fault: incident.fault,
    detail: incident.detail,
    undetectedBefore: incident.undetectedBefore,
    detector: incident.recoveries[0]?.trigger.detector,
    latencyMs: milliseconds(incident.latencyNs),
    checkpointAgeMs: milliseconds(record?.checkpoint?.ageNs ?? 0),
    pagesRestored: record?.pagesRestored,
    rung: record?.rung,
    recoveries: incident.recoveries.length,
    durationMs: milliseconds(record?.durationHostNs ?? 0),
  };
}

/** A few lines for people, printed when an incident ends. */
export function incidentText(incident: Incident): string {
  const record = lastRecovery(incident);
  const trigger = incident.recoveries[0]?.trigger;
  return [
    `  ${colour.bold(incident.guest)}: ${colour.red(incident.fault)}, ${incident.detail}${undoneText(incident)}`,
    `    detected by ${trigger?.detector ?? '-'} after ${durationText(incident.latencyNs)} (${trigger?.cause ?? '-'})`,
    `    ${record === undefined ? 'not recovered' : recoveryText(record)}${climbText(incident)}`,
    '',
  ].join('\n');
}

function undoneText({ undetectedBefore }: Incident): string {
  if (undetectedBefore === 0) return '';
  return ` (after ${undetectedBefore} without a detection within T_B, each undone)`;
}

/** An error that was latent for longer than T_ck has already reached the first targets. */
function climbText({ recoveries }: Incident): string {
  const before = recoveries.length - 1;
  if (before === 0) return '';
  return `\n    ${before} rollback${before === 1 ? '' : 's'} before it went to checkpoints that already held the error`;
}

export function resultText({ verdict, runs, algorithms, checks }: MainJobResult): string {
  const failed = checks.filter(({ holds }) => !holds);
  return [
    ...runs.map(runText),
    '',
    'COWB and COWP side by side, both guests undisturbed to their end:',
    algorithmTable(algorithms),
    '',
    failed.length === 0
      ? `${checks.length} checks against the golden runs without RMK hold: every rollback went to a state of the golden ` +
        'run, and in the end\noutput, memory, registers, devices and instruction count are equal, and domain time is ' +
        'longer by exactly the work lost.'
      : failed.map(failedText).join('\n'),
    '',
    `Verdict: ${verdict === 'pass' ? colour.green('pass') : colour.red('fail')}`,
    '',
  ].join('\n');
}

function runText({ guest, end, undoneNs, epochs }: ProtectedRun): string {
  const lastLine = end.state.output.trimEnd().split('\n').at(-1) ?? '';
  return (
    `  ${colour.bold(guest)} ended with "${lastLine}" after ${durationText(end.domainNs)} of domain time, ` +
    `${durationText(undoneNs)} of it lost work; ${epochs.checkpoints} checkpoints, ` +
    `${end.wireBytes} bytes on the wire, ${end.committedBytes} committed`
  );
}

function algorithmTable({ cowb, cowp }: MainJobResult['algorithms']): string {
  const table = new Table({
    ...PLAIN,
    head: ['', 'page faults', 'pages saved', 'pre-saved', 'in vain', 'checkpoints'],
  });
  for (const [name, totals] of [
    ['COWB', cowb],
    ['COWP', cowp],
  ] as const) {
    table.push([
      name,
      totals.pageFaults,
      totals.pagesSaved,
      totals.pagesPreSaved,
      totals.preSavedInVain,
      totals.checkpoints,
    ]);
  }
  return table.toString();
}

function failedText({ guest, what, found }: Check): string {
  return colour.red(`  ${guest}: ${what} failed (${found ?? ''})`);
}

function milliseconds(ns: Nanoseconds): number {
  return ns / 1e6;
}
