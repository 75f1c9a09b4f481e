import { hasCode, pathText, RmkError, type Problem } from '@rmk/core';

/** Where in the config something is: `guests`, 1, `memory` for `guests[1].memory`. */
export type ConfigPath = readonly PropertyKey[];

/** Collects everything that is wrong with a config, so that all of it is reported at once. */
export class Problems {
  private readonly found: Problem[] = [];

  get count(): number {
    return this.found.length;
  }

  /** Whether something is wrong at this very path, or within. */
  has(path: ConfigPath): boolean {
    const at = pathText(path);
    return this.found.some((problem) => problem.path === at || /^[.[]/.test(within(problem.path, at)));
  }

  add(path: ConfigPath, message: string): void {
    this.addText(pathText(path), message);
  }

  /** Adds problems of the value at `base`, whose paths begin there. */
  addWithin(base: ConfigPath, problems: readonly Problem[]): void {
    const at = pathText(base);
    for (const { path, message } of problems) {
      const separator = at === '' || path === '' || path.startsWith('[') ? '' : '.';
      this.addText(`${at}${separator}${path}`, message);
    }
  }

  /** Runs a check that throws RmkErrors, and keeps the reason; undefined if it threw. */
  attempt<T>(path: ConfigPath, check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      if (!hasCode(error)) throw error;
      if (error.problems.length > 0) this.addWithin(path, error.problems);
      else this.add(path, error.reason);
      return undefined;
    }
  }

  /** `RMK_ERR_INPUT` with all problems. */
  error(source: string): RmkError {
    return new RmkError('RMK_ERR_INPUT', `${source} cannot be run`, { problems: this.found });
  }

  private addText(path: string, message: string): void {
    const isKnown = this.found.some((problem) => problem.path === path && problem.message === message);
    if (!isKnown) this.found.push({ path, message });
  }
}

/** The rest of `path` after `base`; empty if it does not begin there. */
function within(path: string, base: string): string {
  return path.startsWith(base) ? path.slice(base.length) : '';
}
