import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

import { beforeAll, describe, expect, it } from 'vitest';

import { LONG } from '../../../test/long.js';
import { ConnectFour } from './connectFour.js';
import { runGuest, type GuestRun } from './runGuest.js';

const source = readFileSync(new URL('../guest/search/puzzles.c', import.meta.url), 'utf8');
const puzzles = [...source.matchAll(/\{(\d), (\d), "(\d*)", (-?\d+)\}/g)].map(
  ([, width, height, moves = '', value]) => ({
    width: Number(width),
    height: Number(height),
    moves,
    value: Number(value),
  }),
);

describe('the guest search', () => {
  let run: GuestRun;
  beforeAll(async () => {
    run = await runGuest('search');
  });

  it('solves all its puzzles within three seconds of guest time', () => {
    expect(run.exitCode).toBe(0);
    expect(run.output).toMatch(/^search: Connect Four.*\n(puzzle .*\n){10}search: ok [0-9a-f]{8}\n$/);
    expect(run.guestNs).toBeGreaterThan(1e9);
    expect(run.guestNs).toBeLessThan(3e9);
  });

  it('ends with the checksum of all that it found', () => {
    const lines = run.output.matchAll(/, value ([-+ ]\d+), +(\d+) nodes, best play (\d+)\n/g);
    let checksum = 0;
    for (const [, value, nodes, game = ''] of lines) {
      checksum = crc32(game, crc32(Int32Array.of(Number(value), Number(nodes)), checksum));
    }
    expect(run.output).toContain(`search: ok ${checksum.toString(16).padStart(8, '0')}\n`);
  });

  it('finds the values that a second solver finds', () => {
    const found = [...run.output.matchAll(/, value ([-+ ]\d+),/g)].map(([, value]) => Number(value));
    expect(found).toEqual(puzzles.map(({ value }) => value));
    // The emptier the board, the longer the second solver takes.
    const solved = LONG ? puzzles : puzzles.filter(({ moves }) => moves.length >= 30);
    expect(solved.length).toBeGreaterThan(2);
    for (const { width, height, moves, value } of solved)
      expect(new ConnectFour(width, height, moves).value()).toBe(value);
  });

  it('shows a game that ends as the value says', () => {
    const games = [...run.output.matchAll(/, best play (\d+)\n/g)].map(([, game = '']) => game);
    expect(games).toHaveLength(puzzles.length);
    for (const [index, { width, height, moves, value }] of puzzles.entries()) {
      const board = new ConnectFour(width, height, moves);
      const wins = Array.from(games[index] ?? '', (move) => board.play(Number(move) - 1));
      expect(wins.slice(0, -1)).not.toContain(true);
      // Whoever moves first has the value; the others have it with the other sign.
      const sign = wins.length % 2 === 1 ? 1 : -1;
      if (wins.at(-1) === true) expect(sign * board.leftOfLast).toBe(value);
      else expect([board.isFull, value]).toEqual([true, 0]);
    }
  });
});
