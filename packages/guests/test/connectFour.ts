/** Connect Four with a board of characters and without the tricks of the guest `search`: a second opinion. */
export class ConnectFour {
  private readonly columns: string[];
  private readonly known = new Map<string, readonly [least: number, most: number]>();

  /** `moves`: the column of each, counted from 1. */
  constructor(
    private readonly width: number,
    private readonly height: number,
    moves: string,
  ) {
    this.columns = Array.from({ length: width }, () => '');
    for (const move of moves) this.play(Number(move) - 1);
  }

  /** Whether the player who moves wins by it. Throws for a move that is not possible. */
  play(column: number): boolean {
    const stones = this.columns[column];
    if (stones === undefined || stones.length === this.height) {
      throw new Error(`no stone can be dropped to column ${column + 1}`);
    }
    this.columns[column] = stones + 'XO'.charAt(this.stones % 2);
    return this.hasLineThrough(column, stones.length);
  }

  get isFull(): boolean {
    return this.stones === this.width * this.height;
  }

  /** Stones that who has just moved had left before that. */
  get leftOfLast(): number {
    return Math.floor((this.width * this.height - this.stones) / 2) + 1;
  }

  /** As guest/search/solve.h has it. */
  value(least = -Infinity, most = Infinity): number {
    if (this.isFull) return 0;
    const key = this.columns.join('|');
    const [knownLeast, knownMost] = this.known.get(key) ?? [-Infinity, Infinity];
    const alpha = Math.max(least, knownLeast);
    const beta = Math.min(most, knownMost);
    if (alpha >= beta) return knownLeast >= most ? knownLeast : knownMost;
    let best = -Infinity;
    for (let column = 0; column < this.width && best < beta; column++) {
      if (this.columns[column]?.length === this.height) continue;
      const wins = this.play(column);
      best = Math.max(best, wins ? this.leftOfLast : -this.value(-beta, -Math.max(alpha, best)));
      this.columns[column] = this.columns[column]?.slice(0, -1) ?? '';
    }
    this.known.set(key, [best > alpha ? best : knownLeast, best < beta ? best : knownMost]);
    return best;
  }

  private get stones(): number {
    return this.columns.reduce((sum, column) => sum + column.length, 0);
  }

  private hasLineThrough(column: number, row: number): boolean {
    const stone = this.columns[column]?.[row];
    const directions = [
      [0, 1],
      [1, 0],
      [1, 1],
      [1, -1],
    ] as const;
    return directions.some(([across, up]) => {
      const run = (sign: number): number => {
        let length = 0;
        for (;;) {
          const step = sign * (length + 1);
          if (this.columns[column + step * across]?.[row + step * up] !== stone) return length;
          length++;
        }
      };
      return run(1) + run(-1) >= 3;
    });
  }
}
