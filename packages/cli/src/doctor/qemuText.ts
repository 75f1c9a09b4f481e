import type { FoundMachine } from '@rmk/hypervisor-qemu';
import { colour } from '../colour.js';
import type { QemuReport } from './qemuReport.js';

const MEBIBYTE = 2 ** 20;

/** The rows of the table about VMs under QEMU. */
export function qemuRows({ trial, demoGuest }: QemuReport): readonly [string, string][] {
  const guest =
    demoGuest === undefined
      ? 'not built yet: npm run guest:qemu'
      : `Linux ${demoGuest.kernelRelease}, in the cache`;
  if (trial === undefined) return [['demo guest', guest]];
  if (!trial.works)
    return [
      ['checkpoints', colour.yellow('not possible')],
      ['demo guest', guest],
    ];
  return [
    ['checkpoints', `${trial.control}, by ${trial.tracker}`],
    ['demo guest', guest],
  ];
}

/** A line for how checkpoints are taken, and one for each VM. */
export function qemuLines({ trial, machines }: QemuReport): readonly string[] {
  return [
    ...(trial === undefined ? [] : ['', `Checkpoints of VMs under QEMU: ${trial.why}.`]),
    ...machines.map(machineText),
  ];
}

function machineText({ name, pid, folder, memoryBytes, isRunning }: FoundMachine): string {
  const size = `${Math.round(memoryBytes / MEBIBYTE)} MiB`;
  return isRunning
    ? `VM ${name} (${size}) runs as process ${pid}, in ${folder}. It is unprotected unless an rmk process is attached.`
    : `VM ${name} has ended and left ${size} of memory in ${folder}. Remove that folder.`;
}
