import { RmkError, type RmkErrorCode } from '@rmk/core';

/** Something that speaks against starting a plugin. `message` names the plugin and says how to mend it. */
export interface Problem {
  readonly code: RmkErrorCode;
  readonly plugin: string;
  readonly message: string;
  readonly cause?: unknown;
}

/** One error for all problems: with the code they share where they are one plugin's, else `RMK_ERR_REFUSED`. */
export function refusal(problems: readonly [Problem, ...Problem[]]): RmkError {
  const [{ code, plugin, message, cause }, ...others] = problems;
  if (others.length === 0) return new RmkError(code, message, { plugin, cause });
  if (others.every((other) => other.code === code && other.plugin === plugin)) {
    return new RmkError(code, `${plugin} has ${problems.length} problems`, {
      plugin,
      problems: problems.map((problem) => problem.message),
    });
  }
  return new RmkError('RMK_ERR_REFUSED', `${problems.length} problems; no plugin was started`, {
    problems: problems.map((problem) => `${problem.code}: ${problem.message}`),
  });
}

/** One error for everything that failed while plugins were being stopped. */
export function stopError([first, ...others]: readonly [Problem, ...Problem[]]): RmkError {
  const { code, plugin, message, cause } = first;
  if (others.length === 0) return new RmkError(code, message, { plugin, cause });
  const problems = [first, ...others];
  return new RmkError('RMK_ERR_STOP', `${problems.length} failures; all plugins were stopped nevertheless`, {
    problems: problems.map((problem) => problem.message),
    cause: new AggregateError(problems.map((problem) => problem.cause)),
  });
}
