/** Growing distance between the lines about code that stays pending. */
const LATER = 2;

/** What a report has printed of things that happen again and again, so that it prints less each time. */
export class Repetitions {
  private readonly lastFaults = new Map<string, string>();
  private readonly nextPendingMs = new Map<string, number>();

  /** Whether `text` is also that of the last fault of this plugin. */
  isSameFault(guest: string, plugin: string, text: string): boolean {
    const key = `${guest} ${plugin}`;
    const isSame = this.lastFaults.get(key) === text;
    this.lastFaults.set(key, text);
    return isSame;
  }

  /** Whether code that has been pending for `forHostMs` is reported: at first, then each time it took twice as long. */
  pending(guest: string, plugin: string, during: string, forHostMs: number): 'first' | 'again' | 'not' {
    const key = `${guest} ${plugin} ${during}`;
    const next = this.nextPendingMs.get(key);
    const isFirst = next === undefined || forHostMs * LATER <= next;
    if (!isFirst && forHostMs < next) return 'not';
    this.nextPendingMs.set(key, forHostMs * LATER);
    return isFirst ? 'first' : 'again';
  }
}
