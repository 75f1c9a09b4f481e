import {
  durationHint,
  isDuration,
  nanoseconds,
  PAGE_BYTES,
  problemsOf,
  RmkError,
  type Duration,
} from '@rmk/core';
import { z } from 'zod';
import { defaultEngine, ENGINES } from './engine.js';
import { TIMEBASE_HZ } from './devices/clint.js';

const MEBIBYTE = 1 << 20;
/** Typed arrays over one WebAssembly memory: 4 GiB hold RAM and logs together. */
const MAX_MEMORY_BYTES = 1024 * MEBIBYTE;
const MAX_LOG_PAGES = (2048 * MEBIBYTE) / PAGE_BYTES;
const NS_PER_SECOND = 1_000_000_000;

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected a Uint8Array');
const duration = z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) });
const address = z.int().min(0).max(0xffff_ffff);

const schema = z.strictObject({
  name: z.string().min(1),
  elf: bytes,
  /** What the ELF is called in errors. */
  elfSource: z.string().optional(),
  memoryBytes: z
    .int()
    .min(PAGE_BYTES)
    .max(MAX_MEMORY_BYTES)
    .refine((size) => size % PAGE_BYTES === 0, `expected a multiple of the page size, ${PAGE_BYTES}`)
    .default(32 * MEBIBYTE),
  /** Entries of all page logs together; each takes a page of host memory once it is used. */
  logPages: z.int().min(1).max(MAX_LOG_PAGES).optional(),
  bootData: z.array(z.strictObject({ address, data: bytes })).default([]),
  /** Where the guest's kernel keeps its current task, a word whose change is a context switch; by default mscratch. */
  contextSwitch: z
    .union(
      [
        z.strictObject({ symbol: z.string().min(1), offset: z.int().min(0).default(0) }),
        z.strictObject({ address }),
      ],
      "expected { symbol: 'pxCurrentTCB' }, { symbol, offset } or { address }",
    )
    .optional(),
  /** Whether the guest finds a device tree in RAM and its address in a1; by default as a raw kernel expects it. */
  deviceTree: z.boolean().optional(),
  /** The kernel's command line, in the device tree. */
  bootArgs: z.string().optional(),
  /**
   * What executes the guest's instructions; both give the same results. `'translator'`, the default, makes WebAssembly
   * of code that runs often, and is several times faster there. The environment's RMK_ENGINE names another default.
   */
  engine: z.enum(ENGINES).default(defaultEngine),
  /**
   * Whether translated stores check for a protected page. Without, to measure what that costs, the VM cannot be
   * checkpointed, and what it writes over its own code goes unnoticed.
   */
  storeCheck: z.boolean().default(true),
  /** Input that arrives on the UART at the given guest time. */
  input: z.array(z.strictObject({ at: duration, data: bytes })).default([]),
  /** Output kept of each kind, committed and wire; what comes beyond is only counted. */
  outputBytes: z
    .int()
    .min(0)
    .default(16 * MEBIBYTE),
});

const timing = z.strictObject({
  /** Nominal frequency: one instruction takes one cycle. */
  frequencyHz: z
    .int()
    .min(TIMEBASE_HZ)
    .max(NS_PER_SECOND)
    .refine(
      (hz) => NS_PER_SECOND % hz === 0 && hz % TIMEBASE_HZ === 0,
      'expected a multiple of 10 MHz that divides 1 GHz, such as 100000000',
    )
    .default(100_000_000),
  /** The longest stretch of domain time for which a VM runs before another gets its turn. */
  slice: duration.default('10ms'),
  /** `'wall-clock'` slows the VMs down to the wall clock. It changes no result, only how long it takes. */
  pace: z.enum(['none', 'wall-clock']).default('none'),
});

/** A guest and the memory it gets. */
export type MachineOptions = z.input<typeof schema>;
export type CheckedMachineOptions = z.output<typeof schema> & { readonly logPages: number };
export type HypervisorOptions = z.input<typeof timing>;

export interface Timing {
  readonly nsPerCycle: number;
  readonly cyclesPerTick: number;
  readonly sliceCycles: number;
  readonly wallClock: boolean;
}

const UNTIL = 'expected a domain time in nanoseconds, such as 5e6';
const run = z.strictObject({
  untilNs: z.union([z.number(), z.literal([Infinity, -Infinity])], UNTIL).optional(),
  signal: z.instanceof(AbortSignal, { error: 'expected an AbortSignal' }).optional(),
});

/** `RMK_ERR_INPUT` where a run would end at once, or never, by mistake. */
export function checkRunOptions(options: unknown): void {
  check(run, options, 'a run');
}

/** `RMK_ERR_INPUT` with every problem and its path. */
export function checkMachineOptions(options: MachineOptions): CheckedMachineOptions {
  // From JavaScript, `options` may be anything.
  const name = (options as Partial<MachineOptions> | null | undefined)?.name;
  const checked = check(schema, options, name === undefined ? 'a VM' : `VM ${JSON.stringify(name)}`);
  return { ...checked, logPages: checked.logPages ?? (2 * checked.memoryBytes) / PAGE_BYTES };
}

/** `RMK_ERR_INPUT` with every problem and its path. */
export function checkTiming(options: HypervisorOptions): Timing {
  const { frequencyHz, slice, pace } = check(timing, options, 'the embedded hypervisor');
  const nsPerCycle = NS_PER_SECOND / frequencyHz;
  return {
    nsPerCycle,
    cyclesPerTick: frequencyHz / TIMEBASE_HZ,
    sliceCycles: Math.max(1, Math.round(nanoseconds(slice) / nsPerCycle)),
    wallClock: pace === 'wall-clock',
  };
}

function check<S extends z.ZodType>(shape: S, value: unknown, what: string): z.output<S> {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const problems = problemsOf(result.error.issues);
  throw new RmkError('RMK_ERR_INPUT', `the options of ${what} are not valid`, { problems });
}
