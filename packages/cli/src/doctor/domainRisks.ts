import { ACCEPTED_RISK, percent, risksOf, type DetectorRisk } from '@rmk/checkpoint';
import { CHECKPOINTS, DETECTIONS, hasCode, type Checkpoints, type Domain, type Plugin } from '@rmk/core';
import { colour } from '../colour.js';

/** A bound that is derived from the accepted risk meets it but for rounding. */
const ROUNDING = 1e-6;

/** Option `corruptionRisk` of whichever plugin provides CHECKPOINTS, or 5 %. The manifests must be valid. */
export function acceptedRisk(plugins: readonly Plugin[]): number {
  const options: unknown = withCompanions(plugins).find(({ definition }) =>
    definition.provides?.some(({ token }) => token === CHECKPOINTS),
  )?.options;
  if (typeof options !== 'object' || options === null || !('corruptionRisk' in options)) return ACCEPTED_RISK;
  return typeof options.corruptionRisk === 'number' ? options.corruptionRisk : ACCEPTED_RISK;
}

function withCompanions(plugins: readonly Plugin[]): readonly Plugin[] {
  return plugins.flatMap((plugin) => [plugin, ...withCompanions(plugin.definition.companions ?? [])]);
}

/** The risk of each detector of a domain as it is configured. Empty without a checkpoint agent. */
export function domainRisks(domain: Domain): readonly DetectorRisk[] {
  const checkpoints = checkpointsOf(domain);
  if (checkpoints === undefined) return [];
  const { retain, intervalNs } = checkpoints;
  return risksOf(domain.get(DETECTIONS).all, { retain, intervalNs });
}

/** A line for each detector: how likely its rollback target holds the error, and where that number comes from. */
export function riskLines(
  risks: readonly DetectorRisk[],
  accepted: number = ACCEPTED_RISK,
): readonly string[] {
  return risks.map(({ kind, risk, from }) => {
    const text = `  ${kind}: the rollback target holds the error with a probability of ${percent(risk)} (${from})`;
    return risk > accepted * (1 + ROUNDING)
      ? colour.yellow(`${text}, more than the ${percent(accepted)} accepted`)
      : text;
  });
}

function checkpointsOf(domain: Domain): Checkpoints | undefined {
  try {
    return domain.get(CHECKPOINTS);
  } catch (error) {
    if (hasCode(error, 'RMK_ERR_UNKNOWN')) return undefined;
    throw error;
  }
}
