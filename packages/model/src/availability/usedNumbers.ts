import type { NumberName } from './parameters.js';
import type { Setting, Variant } from './variant.js';

const EVERYWHERE: readonly NumberName[] = [
  'vmMttfHours',
  'vmRestartSeconds',
  'hypervisorMttfHours',
  'hypervisorRestartSeconds',
];
const CHECKPOINTS: readonly NumberName[] = ['checkpointVmMttfHours', 'intervalMs'];
const LOCAL: readonly NumberName[] = ['checkpointVmRestartSeconds', 'rollbackSeconds'];
const ONLY: Partial<Record<Variant, readonly NumberName[]>> = {
  k: ['retained'],
  replica: ['failoverSeconds', 'replicaRestartSeconds'],
  disk: ['diskIntervalSeconds', 'diskWriteSeconds', 'diskLoadSeconds'],
  vms: ['vms'],
};

/** The numbers that enter the results of these variants. The rest of the parameters does not matter to them. */
export function numbersUsedBy(
  variants: readonly Variant[],
  { parameters, latency }: Setting,
): readonly NumberName[] {
  const checkpointed = variants.filter((variant) => variant !== 'none');
  const described = latency === undefined && parameters.classes === undefined;
  // T_B of the rule, for errors whose class states none.
  const bound =
    variants.includes('rule') &&
    (parameters.classes ?? [{ boundMs: undefined }]).some((each) => each.boundMs === undefined);
  return [
    ...EVERYWHERE,
    ...(checkpointed.length > 0 ? CHECKPOINTS : []),
    // The replica's rollback is its failover.
    ...(checkpointed.some((variant) => variant !== 'replica') ? LOCAL : []),
    ...(checkpointed.length > 0 && described ? (['latencyPercentile'] as const) : []),
    ...(checkpointed.length > 0 && (described || bound) ? (['latencyBoundMs'] as const) : []),
    ...variants.flatMap((variant) => ONLY[variant] ?? []),
  ];
}
