import {
  durationHint,
  isDuration,
  PAGE_BYTES,
  problemsOf,
  RmkError,
  type Duration,
  type Problem,
} from '@rmk/core';
import { z } from 'zod';

const MEBIBYTE = 1 << 20;
const MOST_CHANNELS = 15;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;
const NAME_HINT =
  'expected 1 to 40 letters, digits, dots, underscores or dashes, beginning with a letter or digit';
/** What `-device` takes: a driver and its properties, without a way to end the argument. */
const DEVICE = /^[A-Za-z0-9][A-Za-z0-9._:/=,+-]*$/;

const duration = z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) });
const name = z.string().regex(NAME, NAME_HINT);
const argument = z.string().refine((text) => !text.includes('\0'), 'expected text without a zero byte');
const file = argument.min(1);

const disk = z
  .strictObject({
    file,
    format: z.enum(['raw', 'qcow2']).default('raw'),
    readOnly: z.boolean().default(false),
    interface: z.enum(['virtio', 'ide']).default('virtio'),
  })
  .refine((one) => one.interface === 'virtio' || !one.readOnly, 'an IDE disk cannot be read-only');

const forward = z.strictObject({
  /** Port on 127.0.0.1 of the host. */
  hostPort: z.int().min(1).max(65_535),
  guestPort: z.int().min(1).max(65_535),
});

const schema = z.strictObject({
  name,
  /** Guest RAM. */
  memoryBytes: z
    .int()
    .min(MEBIBYTE)
    .refine((size) => size % MEBIBYTE === 0, 'expected whole MiB')
    .default(256 * MEBIBYTE),
  /** What QEMU emulates: the i440FX of 1996 with PCI, or the Q35 of 2009 with PCI Express and AHCI. */
  machine: z
    .enum(['pc', 'q35'], "expected 'pc' or 'q35': RMK knows how rollbacks work on these two")
    .default('pc'),
  /** An image in place of SeaBIOS, as for UEFI the OVMF.fd of Debian's package ovmf. It is not written to. */
  firmware: file.optional(),
  virtualCpus: z.literal(1, 'expected 1: RMK protects VMs with one vCPU').default(1),
  /** The model of the vCPU, as QEMU's `-cpu`. */
  cpu: z.string().regex(DEVICE, 'expected what the option -cpu of QEMU takes').default('max'),
  kernel: file.optional(),
  initrd: file.optional(),
  /** The kernel's command line. */
  append: argument.optional(),
  disks: z.array(disk).max(4).default([]),
  /** A user-mode network behind a virtio card, with ports of the guest forwarded to the host. */
  network: z.strictObject({ forwards: z.array(forward).default([]) }).optional(),
  /** More devices, each as QEMU's `-device` takes it. */
  devices: z
    .array(z.string().regex(DEVICE, 'expected what the option -device of QEMU takes'))
    .max(8)
    .default([]),
  /** Ports of virtio-serial, by the names that the guest sees in /dev/virtio-ports. */
  channels: z
    .array(name.refine((text) => text !== 'serial', 'serial is the name of the console'))
    .max(MOST_CHANNELS)
    .refine((names) => new Set(names).size === names.length, 'expected different names')
    .default(['heartbeat']),
  /** The channel, or `serial`, whose bytes are heartbeats. */
  heartbeat: name.optional(),
  /** The guest has booted once this text came from this device: what begins it is waited for. */
  ready: z
    .strictObject({
      device: name.default('serial'),
      text: z.string().min(1),
      within: duration.default('60s'),
    })
    .optional(),
});

const settings = z.strictObject({
  /** The QEMU to start. */
  qemu: z.string().min(1).default('qemu-system-x86_64'),
  /** Where the folders of the VMs lie; in a file system of memory, since guest RAM does too. */
  folder: file.optional(),
  /** `'none'`: the VM runs unprotected, and QEMU without the library. */
  control: z.enum(['auto', 'in-process', 'qmp', 'none']).default('auto'),
  tracker: z.enum(['auto', 'dirty-bitmap', 'userfaultfd-async']).default('auto'),
  /** Entries of all page logs together. Default: one for each page of the guest. */
  logPages: z.int().min(1).optional(),
  /** Digests of all RAM inside each pause: proof for tests, far too slow for use. */
  audit: z.boolean().default(false),
  /** The longest stretch of domain time between two `scheduled` facts. */
  schedulingInterval: duration.default('20ms'),
});

/** A guest, and what it runs on. */
export type QemuMachineOptions = z.input<typeof schema>;
export type CheckedMachineOptions = z.output<typeof schema>;
export type QemuHypervisorOptions = z.input<typeof settings>;
export type CheckedHypervisorOptions = z.output<typeof settings>;

/** `RMK_ERR_INPUT` with every problem and its path. */
export function checkMachineOptions(options: QemuMachineOptions): CheckedMachineOptions {
  // From JavaScript, `options` may be anything.
  const named = (options as Partial<QemuMachineOptions> | null | undefined)?.name;
  const what = named === undefined ? 'a VM' : `VM ${JSON.stringify(named)}`;
  const checked = check(schema, options, what);
  const { kernel, initrd, append, disks, heartbeat, channels, ready } = checked;
  const devices = ['serial', ...channels];
  const problems = [
    ...(kernel === undefined && disks.length === 0
      ? [{ path: 'kernel', message: 'missing, and there is no disk to boot from either' }]
      : []),
    ...(kernel === undefined && initrd !== undefined ? [{ path: 'initrd', message: 'needs a kernel' }] : []),
    ...(kernel === undefined && append !== undefined ? [{ path: 'append', message: 'needs a kernel' }] : []),
    ...(heartbeat !== undefined && !devices.includes(heartbeat)
      ? [{ path: 'heartbeat', message: `there is no ${heartbeat}; there are ${devices.join(', ')}` }]
      : []),
    ...(ready !== undefined && !devices.includes(ready.device)
      ? [{ path: 'ready.device', message: `there is no ${ready.device}; there are ${devices.join(', ')}` }]
      : []),
  ];
  if (problems.length > 0) throw invalid(what, problems);
  return checked;
}

/** `RMK_ERR_INPUT` with every problem and its path. */
export function checkHypervisorOptions(options: QemuHypervisorOptions): CheckedHypervisorOptions {
  return check(settings, options, 'the QEMU hypervisor');
}

export function pagesOf(memoryBytes: number): number {
  return memoryBytes / PAGE_BYTES;
}

function check<S extends z.ZodType>(shape: S, value: unknown, what: string): z.output<S> {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  throw invalid(what, problemsOf(result.error.issues));
}

function invalid(what: string, problems: readonly Problem[]): RmkError {
  return new RmkError('RMK_ERR_INPUT', `the options of ${what} are not valid`, { problems });
}
