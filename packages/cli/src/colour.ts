import pc from 'picocolors';

/** Colours for a terminal only: picocolors itself would put them into the logs of a CI as well. */
export const colour = pc.createColors(isWanted(process.env, process.stdout.isTTY));

/** NO_COLOR and FORCE_COLOR rule, as everywhere; else it depends on whether somebody looks. */
export function isWanted(
  { NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv,
  isTerminal: boolean | undefined,
): boolean {
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return true;
  return isTerminal === true && TERM !== 'dumb';
}
