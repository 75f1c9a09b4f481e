import { describe, expect, it } from 'vitest';
import { JsonStream } from '../src/run/jsonStream.js';

/** The payload of an event of a third party, as `rmk run --json` writes it. */
function written(payload: object): unknown {
  let out = '';
  const stream = new JsonStream((text) => void (out += text), 'show');
  stream.event('tasks', 'EVT_WARNING', { ...payload, atNs: 5, source: 'other', sequence: 1 } as never);
  expect(out.endsWith('\n')).toBe(true);
  const line = JSON.parse(out) as { readonly payload: unknown };
  expect(line).toMatchObject({ event: 'EVT_WARNING', guest: 'tasks', atNs: 5, source: 'other' });
  return line.payload;
}

describe('an event of which JSON cannot write all', () => {
  it('has its BigInts as text, exactly', () => {
    expect(written({ cycles: 2n ** 64n, deep: [{ one: 1n }] })).toEqual({
      cycles: '18446744073709551616',
      deep: [{ one: '1' }],
    });
  });

  it('names what contains itself, and writes what only occurs twice', () => {
    const shared = { a: 1 };
    const loop: Record<string, unknown> = { shared, again: shared };
    loop['self'] = loop;
    loop['list'] = [loop, shared];
    expect(written({ loop })).toEqual({
      loop: { shared: { a: 1 }, again: { a: 1 }, self: '[circular]', list: ['[circular]', { a: 1 }] },
    });
  });

  it('replaces what throws by the reason, and writes the rest', () => {
    const hostile = {
      get broken(): unknown {
        throw new Error('no value');
      },
    };
    const proxy = new Proxy({}, { ownKeys: () => Reflect.ownKeys(hostile).concat(hostile.broken as never) });
    const stubborn = { toJSON: () => hostile.broken };
    expect(written({ a: 1, hostile, stubborn, proxy, list: [stubborn], z: 2 })).toEqual({
      a: 1,
      hostile: '[not written: no value]',
      stubborn: '[not written: no value]',
      proxy: '[not written: no value]',
      list: '[not written: no value]',
      z: 2,
    });
  });

  it('does not fail on what is nested too deeply', () => {
    let deep: object = {};
    for (let i = 0; i < 100_000; i++) deep = { deep };
    expect(written({ deep, a: 1 })).toEqual({ deep: expect.stringContaining('[not written: '), a: 1 });
  });
});
