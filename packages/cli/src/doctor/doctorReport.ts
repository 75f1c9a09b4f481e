import { RMK_VERSION } from '@rmk/core';
import { startTree } from '@rmk/kernel';
import Table from 'cli-table3';
import { colour } from '../colour.js';
import { riskLines } from './domainRisks.js';
import type { MachineReport } from './machineReport.js';
import type { QemuReport } from './qemuReport.js';
import { qemuLines, qemuRows } from './qemuText.js';
import type { StartedDomain } from './startedDomains.js';

const PLAIN = { style: { head: [], border: [], compact: true } };
const MEBIBYTE = 2 ** 20;

export interface DoctorReport {
  readonly node: { readonly version: string; readonly supported: boolean };
  readonly machine: MachineReport;
  readonly qemu: QemuReport;
  readonly domains: readonly StartedDomain[];
}

export function doctorJson({ node, machine, qemu, domains }: DoctorReport): string {
  const { tools, ...others } = machine;
  const toolsJson = tools.map((tool) => ({ ...tool, found: tool.version !== undefined }));
  return `${JSON.stringify({ rmk: RMK_VERSION, node, ...others, tools: toolsJson, qemu, domains }, undefined, 2)}\n`;
}

export function doctorText({ node, machine, qemu, domains }: DoctorReport): string {
  const { tools, userfaultfd, sharedMemory } = machine;
  const missing = [
    ...tools.filter(({ version }) => version === undefined),
    ...(userfaultfd.usable ? [] : [{ name: 'userfaultfd', neededFor: userfaultfd.neededFor }]),
  ];
  const table = new Table(PLAIN);
  table.push(
    ['RMK', RMK_VERSION],
    ['Node', node.supported ? node.version : colour.red(`${node.version}: RMK needs 20.19 or newer`)],
    ['platform', `${machine.platform}, ${machine.cpus} processors, ${mebibytes(machine.memoryBytes)}`],
    ...tools.map(({ name, command, version }) => [name, version ?? colour.yellow(`no ${command}`)]),
    ['userfaultfd', `${userfaultfd.usable ? 'usable' : colour.yellow('not usable')}: ${userfaultfd.reason}`],
    ['/dev/shm', sharedMemory === undefined ? 'none' : sharedMemoryText(sharedMemory)],
    ...qemuRows(qemu),
  );
  return [
    table.toString(),
    '',
    missing.length === 0
      ? 'Nothing is missing.'
      : 'Guests run on the embedded hypervisor, which needs none of what is missing:',
    ...missing.map(({ name, neededFor }) => `  ${name} is for ${neededFor}.`),
    ...qemuLines(qemu),
    ...domains.map(treeText),
    '',
  ].join('\n');
}

function treeText({ guest, plugins, risks, acceptedRisk, problem }: StartedDomain): string {
  if (problem !== undefined) return `\n${colour.bold(guest)} ${colour.red('fails to start')}: ${problem}`;
  if (plugins.length === 0) return `\n${colour.bold(guest)} has no plugins: it would run unprotected.`;
  return ['', startTree({ name: guest, plugins }), ...riskLines(risks, acceptedRisk)].join('\n');
}

function sharedMemoryText({ freeBytes, totalBytes }: NonNullable<MachineReport['sharedMemory']>): string {
  return `${mebibytes(freeBytes)} free of ${mebibytes(totalBytes)}; for VMs under QEMU alone`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}
