import { z } from 'zod';
import { rateOfPercentile } from '../corruption/exponentialCorruption.js';
import {
  exponentialLatency,
  fixedLatency,
  type LatencyDistribution,
  logNormalLatency,
  mixedLatency,
  weibullLatency,
} from '../corruption/latencyDistribution.js';
import { ModelError, suggestion } from '../errors.js';

const positive = z.number().positive();
const share = z.number().gt(0).lt(1);
const count = z.int().min(1);

/** The numbers that can be swept, with what they mean. Names end in their unit. */
const NUMBERS = {
  vmMttfHours: positive.describe('mean time to failure of the protected VM alone, 1/λp'),
  vmRestartSeconds: positive.describe('restart of the VM and of its job from the beginning, 1/rp'),
  checkpointVmMttfHours: positive.describe('mean time to failure of the checkpointing VM alone, 1/λs'),
  checkpointVmRestartSeconds: positive.describe('its restart, with the first checkpoint, 1/rs'),
  hypervisorMttfHours: positive.describe('mean time to hypervisor and all permanent failures, 1/λv'),
  hypervisorRestartSeconds: positive.describe('restart of the hypervisor, here or on another node, 1/rv'),
  rollbackSeconds: positive.describe("mean time of a rollback (see rollbackScope), a part of 1/r'p"),
  intervalMs: positive.describe('checkpoint interval T_ck'),
  retained: count.describe('checkpoints retained, k, of the variant "k"'),
  latencyPercentile: share.describe('share of the errors that are detected within latencyBoundMs'),
  latencyBoundMs: positive.describe('bound T_B on the detection latency'),
  failoverSeconds: positive.describe('remote replica: mean time to notice the loss and fail over'),
  replicaRestartSeconds: positive.describe('remote replica: mean time to establish a new replica'),
  diskIntervalSeconds: positive.describe('disk-based: time between two checkpoints on disk'),
  diskWriteSeconds: positive.describe('disk-based: scan and write of one checkpoint'),
  diskLoadSeconds: positive.describe('disk-based: loading of the VM from its checkpoint'),
  vms: count.describe('protected VMs on one hypervisor, of the variant "vms"'),
} as const;

export type NumberName = keyof typeof NUMBERS;
export const NUMBER_NAMES = Object.keys(NUMBERS) as readonly NumberName[];

const latencySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('percentile'), percentile: share, boundMs: positive }),
  z.strictObject({ kind: z.literal('exponential'), ratePerMs: positive }),
  z.strictObject({ kind: z.literal('weibull'), shape: positive, scaleMs: positive }),
  z.strictObject({ kind: z.literal('log-normal'), logMean: z.number(), logDeviation: positive }),
  z.strictObject({ kind: z.literal('fixed'), latencyMs: z.number().min(0) }),
  z.strictObject({ kind: z.literal('never') }),
]);

const classSchema = z.strictObject({
  name: z.string(),
  share: z.number().min(0).max(1),
  latency: latencySchema,
  /** T_B that the detector of this class states. Default: the oldest checkpoint is the target. */
  boundMs: z.number().min(0).optional(),
});

/** Everything that the availability models need to know. */
export const parametersSchema = z.strictObject({
  /** What the numbers are, and where they come from. */
  title: z.string(),
  ...NUMBERS,
  /**
   * `rollback`: rollbackSeconds is what a rollback takes from detection to resumption; the detection latency and the
   * re-execution of lost work are added. `recovery-at-50ms-dual`: it is all of 1/r'p at T_ck = 50 ms with two
   * checkpoints and 95 % of the errors detected within 50 ms; only what they grow or shrink by elsewhere is added.
   */
  rollbackScope: z.enum(['rollback', 'recovery-at-50ms-dual']),
  /** Failure classes, in place of the one exponential latency of latencyPercentile and latencyBoundMs. */
  classes: z.array(classSchema).min(1).optional(),
  /** An interval of pc that was found elsewhere. */
  corruptionInterval: z
    .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
    .refine(([low, high]) => low <= high, 'the low end comes first')
    .optional(),
});

export type Parameters = z.infer<typeof parametersSchema>;

/** Parameters as a file holds them: any of them, on top of a named set. */
const fileSchema = parametersSchema.partial().extend({ base: z.string().optional() });

export type ParameterFile = z.infer<typeof fileSchema>;

const PARAMETER_NAMES = Object.keys(parametersSchema.shape);
const CLASS_NAMES = Object.keys(classSchema.shape);
const LATENCY_NAMES = [...new Set(latencySchema.options.flatMap(({ shape }) => Object.keys(shape)))];

/** What stands at an axis or a bar for each number. */
const LABELS: Readonly<Record<NumberName, string>> = {
  vmMttfHours: 'MTTF of the VM, h',
  vmRestartSeconds: 'restart of VM and job, s',
  checkpointVmMttfHours: 'MTTF of the checkpointing VM, h',
  checkpointVmRestartSeconds: 'restart of the checkpointing VM, s',
  hypervisorMttfHours: 'MTTF of the hypervisor, h',
  hypervisorRestartSeconds: 'restart of the hypervisor, s',
  rollbackSeconds: 'rollback, s',
  intervalMs: 'checkpoint interval T_ck, ms',
  retained: 'checkpoints retained',
  latencyPercentile: 'share of errors detected within T_B',
  latencyBoundMs: 'latency bound T_B, ms',
  failoverSeconds: 'failover to the replica, s',
  replicaRestartSeconds: 'new replica, s',
  diskIntervalSeconds: 'interval of checkpoints on disk, s',
  diskWriteSeconds: 'write of a checkpoint to disk, s',
  diskLoadSeconds: 'load of a checkpoint from disk, s',
  vms: 'protected VMs',
};

/** The number's label, with its unit. */
export function labelNumber(name: NumberName): string {
  return LABELS[name];
}

/** Whether the parameter counts something, and so is a whole number. */
export function isCount(name: NumberName): boolean {
  return name === 'retained' || name === 'vms';
}

/** What the parameter means, for tables. */
export function describeNumber(name: NumberName): string {
  return NUMBERS[name].description ?? '';
}

/**
 * Checks what a parameter file holds.
 *
 * Throws RMK_ERR_INPUT that lists every unknown name (with the nearest known one) and every value that is out of range.
 */
export function parseParameterFile(content: unknown, path: string): ParameterFile {
  const parsed = fileSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => {
    const where = issue.path.map(String).join('.');
    if (issue.code !== 'unrecognized_keys') {
      return [{ path: where === '' ? 'the file' : where, message: issue.message }];
    }
    const known =
      where === '' ? ['base', ...PARAMETER_NAMES] : where.endsWith('latency') ? LATENCY_NAMES : CLASS_NAMES;
    return issue.keys.map((key) => ({
      path: where === '' ? key : `${where}.${key}`,
      message: `unknown${suggestion(key, known)}`,
    }));
  });
  throw new ModelError(
    'RMK_ERR_INPUT',
    `${path} is not a parameter file of the availability models`,
    problems,
  );
}

/** One of the numbers, set to a new value. */
export function withNumber(parameters: Parameters, name: NumberName, value: number): Parameters {
  const parsed = NUMBERS[name].safeParse(value);
  if (!parsed.success) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${name} cannot be ${value}: ${parsed.error.issues[0]?.message ?? 'invalid'}`,
    );
  }
  return { ...parameters, [name]: value };
}

/** Throws RMK_ERR_INPUT that offers the nearest known name. */
export function requireNumberName(name: string): NumberName {
  const known = NUMBER_NAMES.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new ModelError('RMK_ERR_INPUT', `there is no parameter "${name}"${suggestion(name, NUMBER_NAMES)}`);
  }
  return known;
}

/** The latency that the parameters describe: their failure classes, or the exponential one of their percentile. */
export function latencyOf(parameters: Parameters): LatencyDistribution {
  if (parameters.classes === undefined) {
    return exponentialLatency(rateOfPercentile(parameters.latencyPercentile, parameters.latencyBoundMs));
  }
  return mixedLatency(
    parameters.classes.map((failure) => ({ share: failure.share, latency: classLatency(failure.latency) })),
  );
}

function classLatency(latency: z.infer<typeof latencySchema>): LatencyDistribution {
  if (latency.kind === 'percentile')
    return exponentialLatency(rateOfPercentile(latency.percentile, latency.boundMs));
  if (latency.kind === 'exponential') return exponentialLatency(latency.ratePerMs);
  if (latency.kind === 'weibull') return weibullLatency(latency.shape, latency.scaleMs);
  if (latency.kind === 'log-normal') return logNormalLatency(latency.logMean, latency.logDeviation);
  return fixedLatency(latency.kind === 'fixed' ? latency.latencyMs : Infinity);
}
