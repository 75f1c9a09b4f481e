import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { hasCode, messageOf, type Duration, type Plugin } from '@rmk/core';
import { heartbeatDetector } from '@rmk/heartbeat-detector';
import { checkMachineOptions, type QemuMachineOptions } from '@rmk/hypervisor-qemu';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { z } from 'zod';
import { guestSchema } from './configSchema.js';
import type { ConfigPath, Problems } from './problems.js';

/** A guest in QEMU. The hypervisor checks `qemu`. */
export const qemuGuestSchema = z.strictObject({
  ...guestSchema.pick({ name: true, memory: true, plugins: true, protect: true }).shape,
  qemu: z.looseObject({}, 'expected what QEMU boots, such as { kernel, initrd, append }'),
});

export type QemuGuestEntry = z.output<typeof qemuGuestSchema>;

/** A busy host may not run a guest for a while. Shorter times would report that as a hang. */
const THRESHOLD: Duration = '500ms';
const SILENCE: Duration = '1s';

/** What the hypervisor is to start, with paths relative to `folder`; undefined where it has problems. */
export function qemuMachineOptions(
  { name, memory, qemu }: QemuGuestEntry,
  folder: string,
  at: ConfigPath,
  problems: Problems,
): QemuMachineOptions | undefined {
  const before = problems.count;
  try {
    const given: object = { ...qemu, name, ...(memory === undefined ? {} : { memoryBytes: memory }) };
    // Whatever it is, it is checked here.
    const { kernel, initrd, disks, ...rest } = checkMachineOptions(given as QemuMachineOptions);
    const located = (file: string, ...path: ConfigPath): string => {
      const found = resolve(folder, file);
      checkReadable(found, [...at, 'qemu', ...path], problems);
      return found;
    };
    const options: QemuMachineOptions = {
      ...rest,
      ...(kernel === undefined ? {} : { kernel: located(kernel, 'kernel') }),
      ...(initrd === undefined ? {} : { initrd: located(initrd, 'initrd') }),
      disks: disks.map((disk, index) => ({ ...disk, file: located(disk.file, 'disks', index, 'file') })),
    };
    return problems.count === before ? options : undefined;
  } catch (error) {
    if (!hasCode(error)) throw error;
    for (const problem of error.problems) {
      if (problem.path === 'memoryBytes') problems.add([...at, 'memory'], problem.message);
      else problems.addWithin([...at, 'qemu'], [problem]);
    }
    return undefined;
  }
}

/**
 * The preset with defaults for a real VM. QEMU reports crashes. A vCPU that is busy or halted and writes no page hangs
 * with interrupts off. A heartbeat that ends, if configured, reveals other hangs, such as a spin with preemption off,
 * whose timer tick still writes.
 */
export function qemuProtection(
  options: MicrocheckpointOptions | undefined,
  heartbeat: string | undefined,
): readonly Plugin[] {
  return [
    ...microcheckpoint(withDefaults(options)),
    ...(heartbeat === undefined ? [] : [heartbeatDetector({ device: heartbeat, silence: SILENCE })]),
  ];
}

/** Whatever is no object is left for the preset to refuse. */
function withDefaults(options: MicrocheckpointOptions = {}): MicrocheckpointOptions {
  if (!isObject(options)) return options;
  const { hang = {} } = options;
  if (!isObject(hang)) return options;
  return { ...options, hang: { signs: ['page-written'], threshold: THRESHOLD, ...hang } };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** What the user is to know of a VM before it runs protected. */
export function qemuWarnings({ name, disks = [], network }: QemuMachineOptions): readonly string[] {
  const written = disks.filter(({ readOnly }) => readOnly !== true);
  return [
    ...written.map(
      ({ file }) =>
        `${name}: what is written to ${file} is not rolled back: after a rollback it may not fit what the guest knows of it, and its file system may be damaged. Use a copy, or make it readOnly`,
    ),
    ...(network === undefined
      ? []
      : [`${name}: the network is not rolled back: what was sent before a rollback stays sent`]),
  ];
}

function checkReadable(file: string, path: ConfigPath, problems: Problems): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    problems.add(path, `${file} cannot be read (${messageOf(error)})`);
  }
}
