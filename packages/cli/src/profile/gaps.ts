/** The gaps between events of one kind: how many there were, their sum, and the longest. Its memory does not grow. */
export class Gaps {
  count = 0;
  longest = 0;
  private sum = 0;

  add(gap: number): void {
    this.count += 1;
    this.sum += gap;
    this.longest = Math.max(this.longest, gap);
  }

  /** A gap that has not ended: it counts as no gap, but no threshold may lie below it. */
  addOpen(gap: number): void {
    this.longest = Math.max(this.longest, gap);
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }
}
