import { nanoseconds } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scriptClients, type ScriptedClient } from '../src/index.js';

const BYTE_NS = 100_000;
const BAUD = 100_000;

describe('scriptClients', () => {
  it('gives each request an identifier and sends it byte by byte', () => {
    const { requests, input } = scriptClients(
      [{ name: 'a', startAt: '1ms', every: '5ms', requests: ['x', 'y'] }],
      BAUD,
    );
    expect(requests).toEqual([
      { id: 'a-1', line: 'a-1 x', arrivedNs: 1e6 + 6 * BYTE_NS },
      { id: 'a-2', line: 'a-2 y', arrivedNs: 6e6 + 6 * BYTE_NS },
    ]);
    expect(textOf(input)).toBe('a-1 x\na-2 y\n');
    expect(input.map(({ at }) => nanoseconds(at))).toEqual(
      [1e6, 6e6].flatMap((startNs) => [1, 2, 3, 4, 5, 6].map((bytes) => startNs + bytes * BYTE_NS)),
    );
  });

  it('lets a request wait while the line is busy', () => {
    const client = { every: '1s', requests: ['x'] } as const;
    const { requests } = scriptClients(
      [
        { ...client, name: 'late', startAt: '1200us' },
        { ...client, name: 'a', startAt: '1ms' },
      ],
      BAUD,
    );
    expect(requests.map(({ id, arrivedNs }) => [id, arrivedNs])).toEqual([
      ['a-1', 1e6 + 6 * BYTE_NS],
      ['late-1', 1e6 + 15 * BYTE_NS],
    ]);
  });

  it('loses no request, mixes no lines and keeps to the pace of the line', () => {
    const client = fc.record({
      startAt: fc.integer({ min: 1, max: 50 }).map((ms) => `${ms}ms` as const),
      every: fc.integer({ min: 1, max: 20 }).map((ms) => `${ms}ms` as const),
      requests: fc.array(fc.stringMatching(/^[a-z ]{1,20}$/), { maxLength: 20 }),
    });
    fc.assert(
      fc.property(fc.array(client, { maxLength: 4 }), (anonymous) => {
        const clients: ScriptedClient[] = anonymous.map((one, index) => ({ ...one, name: `c${index}` }));
        const { requests, input } = scriptClients(clients, BAUD);
        expect(textOf(input)).toBe(requests.map(({ line }) => `${line}\n`).join(''));
        for (const { name, requests: own } of clients) {
          const sent = requests.filter(({ id }) => id.startsWith(`${name}-`));
          expect(sent.map(({ line }) => line)).toEqual(own.map((text, i) => `${name}-${i + 1} ${text}`));
        }
        const times = input.map(({ at }) => nanoseconds(at));
        expect(times.slice(1).every((time, index) => time - (times[index] ?? 0) >= BYTE_NS)).toBe(true);
      }),
    );
  });

  it('refuses two clients of one name', () => {
    const twin: ScriptedClient = { name: 'twin', startAt: '1ms', every: '1ms', requests: [] };
    expect(() => scriptClients([twin, twin])).toThrow(
      'RMK_ERR_INPUT: two scripted clients are named twin: give each a name of its own',
    );
  });
});

function textOf(input: readonly { readonly data: Uint8Array }[]): string {
  return Buffer.concat(input.map(({ data }) => data)).toString();
}
