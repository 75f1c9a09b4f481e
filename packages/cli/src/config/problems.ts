import { RmkError } from '@rmk/core';

/** Where in the config something is: `guests`, 1, `memory` for `guests[1].memory`. */
export type ConfigPath = readonly PropertyKey[];

/** Collects everything that is wrong with a config, so that all of it is reported at once. */
export class Problems {
  private readonly found: string[] = [];

  get count(): number {
    return this.found.length;
  }

  /** Whether something is wrong at this very path, or within. */
  has(path: ConfigPath): boolean {
    const at = pathText(path);
    return this.found.some((problem) => problem.startsWith(at) && /^[:.[]/.test(problem.slice(at.length)));
  }

  add(path: ConfigPath, message: string): void {
    const at = pathText(path);
    this.addText(at === '' ? message : `${at}: ${message}`);
  }

  /** A problem that names its path itself. */
  addText(problem: string): void {
    if (!this.found.includes(problem)) this.found.push(problem);
  }

  /** Runs a check that throws RmkErrors, and keeps what it says; undefined where it threw. */
  attempt<T>(path: ConfigPath, check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof RmkError)) throw error;
      this.add(path, reasonOf(error));
      return undefined;
    }
  }

  /** `RMK_ERR_INPUT` with all problems. */
  error(source: string): RmkError {
    return new RmkError('RMK_ERR_INPUT', `${source} cannot be run`, { problems: this.found });
  }
}

/** The message of an error without its code, which that of the whole report stands for. */
export function reasonOf({ code, message }: RmkError): string {
  return message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
}

/** `guests[1].memory` */
function pathText(path: ConfigPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
