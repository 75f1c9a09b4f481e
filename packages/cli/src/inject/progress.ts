import type { StatusLine } from '../run/statusLine.js';

/** How far a campaign is, where a person looks on. */
export class Progress {
  private readonly startedAt = performance.now();

  constructor(
    private readonly line: StatusLine,
    private readonly count: number,
    /** Done before this run. */
    private readonly before: number,
  ) {}

  at(done: number): void {
    const seconds = (performance.now() - this.startedAt) / 1000;
    const rate = (done - this.before) / seconds;
    const leftSeconds = Math.ceil((this.count - done) / rate);
    this.line.set(
      `${done} of ${this.count} experiments, ${Math.round(60 * rate)} a minute, ${leftSeconds} s left`,
    );
  }

  end(): void {
    this.line.set('');
  }
}
