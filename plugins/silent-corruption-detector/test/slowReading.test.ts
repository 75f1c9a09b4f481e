import { setImmediate } from 'node:timers/promises';
import { CHECKPOINTS, PAGE_BYTES } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig } from '@rmk/testing';
import { expect, it } from 'vitest';
import { silentCorruptionDetector } from '../src/index.js';
import { gatedPageTable } from './gatedPageTable.js';

const UNUSED = { name: 'unused', address: 0x8100_0000, bytes: 6 * PAGE_BYTES };

it('a checkpoint that comes while regions are being read begins no second reading', async () => {
  const gated = gatedPageTable();
  const plugins = [
    gated.plugin(),
    ...microcheckpoint({ hang: false, recovery: false }),
    silentCorruptionDetector({ regions: [UNUSED], within: '400ms' }),
  ].filter(({ definition }) => definition.name !== '@rmk/pin-ptable');
  const rig = await startRig({ guest: 'server', plugins });
  await rig.advance('120ms');
  const release = gated.hold();
  const advanced = rig.advance('50ms');
  await gated.reading();
  const before = gated.read.length;
  const taken = rig.domain.get(CHECKPOINTS).take();
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  expect(rig.events('EVT_CHECKPOINTED').at(-1)?.checkpoint.origin).toBe('request');
  expect(gated.read.length).toBe(before);
  release();
  await Promise.all([taken, advanced]);
  await rig.advance('50ms');
  expect(gated.read.length).toBeGreaterThan(before);
  await rig.stop();
});
