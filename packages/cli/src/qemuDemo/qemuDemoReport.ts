import { PAGE_BYTES, RMK_VERSION, type RecoveryRecord } from '@rmk/core';
import Table from 'cli-table3';
import { colour } from '../colour.js';
import { durationText } from '../durationText.js';
import { recoveryText } from '../recoveryText.js';
import type { HealthCheck } from './health.js';
import { FAULT_TEXTS, type LinuxIncident } from './linuxIncident.js';
import type { Percentiles } from './percentiles.js';
import type { ProtectedLinux } from './protectedLinux.js';
import type { QemuDemoResult } from './qemuDemo.js';

const PLAIN = { style: { head: [], border: [], compact: true } };
const MEBIBYTE = 2 ** 20;

/** The machine-readable result. All times are host time, in milliseconds. */
export function qemuDemoJson(result: QemuDemoResult): string {
  const { verdict, incidents, unprovoked, pauseMs, rollbackMs, measurements, checks, ...about } = result;
  const failed = checks.filter(({ holds }) => !holds);
  return `${JSON.stringify(
    {
      verdict,
      incidents: incidents.map(incidentJson),
      pauseMs,
      rollbackMs,
      workloads: Object.fromEntries(measurements.map(({ workload, ...measured }) => [workload, measured])),
      ...about,
      unprovoked: unprovoked.map(recoveryJson),
      checks: { held: checks.length - failed.length, failed },
    },
    undefined,
    2,
  )}\n`;
}

function incidentJson({ fault, workload, latencyNs, recoveries, beatsAfter }: LinuxIncident): object {
  return {
    fault,
    workload,
    latencyMs: latencyNs / 1e6,
    recoveries: recoveries.map(recoveryJson),
    beatsAfter,
  };
}

function recoveryJson(record: RecoveryRecord): object {
  const { trigger, rung, checkpoint, pagesRestored, workLostNs, durationHostNs } = record;
  const { suspectSinceNs } = trigger;
  return {
    detector: trigger.detector,
    kind: trigger.kind,
    cause: trigger.cause,
    atMs: trigger.atNs / 1e6,
    ...(suspectSinceNs === undefined ? {} : { suspectSinceMs: suspectSinceNs / 1e6 }),
    rung,
    checkpointAgeMs: (checkpoint?.ageNs ?? 0) / 1e6,
    pagesRestored,
    workLostMs: (workLostNs ?? 0) / 1e6,
    durationMs: durationHostNs / 1e6,
  };
}

export function startedText({ guest, machine, control, retained }: ProtectedLinux): string {
  return (
    `RMK ${RMK_VERSION}, QEMU: a checkpoint every 50 ms, ${retained} kept; ` +
    `control ${control.kind}, tracker ${control.tracker} (${control.why}).\n` +
    `Guest: Linux ${guest.kernelRelease}, ${(machine.memoryPages * PAGE_BYTES) / MEBIBYTE} MiB. Times are host time.\n\n`
  );
}

/** A few lines for people, printed when an incident ends. */
export function incidentText({ fault, workload, latencyNs, recoveries, beatsAfter }: LinuxIncident): string {
  const [first] = recoveries;
  return [
    `  ${colour.bold(workload)}: ${colour.red(fault)}, ${FAULT_TEXTS[fault]}`,
    `    detected by ${first?.trigger.detector ?? '-'} after ${durationText(latencyNs)} (${first?.trigger.cause ?? '-'})`,
    ...recoveries.map((record) => `    ${recoveryText(record)}`),
    `    running: ${beatsAfter} heartbeats since, shell responds`,
    '',
  ].join('\n');
}

export function resultText(result: QemuDemoResult): string {
  const { verdict, unprovoked, checks } = result;
  return [
    'Cost of the protection, p50 / p95 / p99 in ms:',
    measurementTable(result),
    '',
    ...checks.map(checkText),
    ...(unprovoked.length === 0
      ? []
      : [`  ${unprovoked.length} recoveries without an injected fault: ${causesOf(unprovoked)}`]),
    '',
    'Not rolled back, here and with your own guests: disks and the network.',
    '',
    `Verdict: ${verdict === 'pass' ? colour.green('pass') : colour.red('fail')}`,
    '',
  ].join('\n');
}

function causesOf(records: readonly RecoveryRecord[]): string {
  return records.map(({ trigger }) => trigger.cause).join('; ');
}

function measurementTable({ measurements }: QemuDemoResult): string {
  const table = new Table({
    ...PLAIN,
    head: ['workload', 'pause', 'checkpoints', 'pages', 'state', 'rollback', 'with suspend and resume'],
  });
  for (const one of measurements) {
    table.push([
      one.workload,
      percentilesText(one.pauseMs),
      one.pauseMs.count,
      one.pagesPerCheckpoint,
      `${Math.round(one.stateBytes / 1024)} KiB`,
      percentilesText(one.rollbackMs),
      percentilesText(one.totalMs),
    ]);
  }
  return table.toString();
}

function percentilesText({ p50, p95, p99 }: Percentiles): string {
  return [p50, p95, p99].map((ms) => ms.toFixed(2)).join(' / ');
}

function checkText({ what, holds, found }: HealthCheck): string {
  return holds ? `  ${colour.green('ok')}: ${what}` : `  ${colour.red('failed')}: ${what} (${found ?? ''})`;
}
