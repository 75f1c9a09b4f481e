import { checkpoint } from '@rmk/checkpoint';
import { PAGE_BYTES } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { startFakeRig } from '@rmk/testing';
import { expect, it } from 'vitest';
import { silentCorruptionDetector } from '../src/index.js';

type Options = Parameters<typeof silentCorruptionDetector>[0];

const CODE = { name: 'code', address: 0, bytes: 1 };
const LAST = { name: 'last', address: 63 * PAGE_BYTES, bytes: PAGE_BYTES };

const start = (options: Options) =>
  startFakeRig({
    plugins: [checkpoint({ interval: '10ms', retain: 4 }), cowb(), silentCorruptionDetector(options)],
  });

it('accepts one region or several, from the first byte of memory to its last', async () => {
  for (const regions of [[CODE], [CODE, LAST]]) {
    const { domain } = await start({ regions, within: '100ms' });
    expect(domain.plugins.map(({ state }) => state)).toEqual(domain.plugins.map(() => 'active'));
  }
});

it.each<[Options, string]>([
  [{ regions: [] }, 'regions: expected at least one region'],
  [{ regions: [CODE, CODE] }, 'regions: expected names that differ from each other'],
  [{ regions: [{ ...CODE, name: '' }] }, 'regions[0].name'],
  [{ regions: [{ ...CODE, bytes: 0 }] }, 'regions[0].bytes'],
  [{ regions: [{ ...CODE, address: -1 }] }, 'regions[0].address'],
  [
    { regions: [{ ...CODE, sha256: 'abc' }] },
    'regions[0].sha256: expected a SHA-256 in 64 hexadecimal digits',
  ],
  [
    { regions: [CODE], within: '19ms' },
    'options.within: 19ms is less than two checkpoint intervals of 10 ms',
  ],
])('refuses %j, and says what is wrong', async (options, message) => {
  await expect(start(options)).rejects.toMatchObject({ plugin: '@rmk/silent-corruption-detector' });
  await expect(start(options)).rejects.toThrow(message);
});
