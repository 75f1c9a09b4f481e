import { P_PTABLE } from '@rmk/core';
import type { Rig } from '@rmk/testing';
import { describeDetector } from '@rmk/testing/conformance';
import { LONG } from '../../../test/long.js';
import { silentCorruptionDetector } from '../src/index.js';

/** Code and constants of the guests `tasks` and `server`, as far as both have them. */
const PROGRAM = { name: 'program', address: 0x8000_0000, bytes: 0x18cd };
/** Of it, what they execute in a panic and never before. */
const PANIC = 'panic_trap';

async function flip(rig: Rig, address: number): Promise<void> {
  const pageTable = rig.domain.get(P_PTABLE);
  const [byte = 0] = await pageTable.read(address, 1);
  await pageTable.write(address, Uint8Array.of(byte ^ 1));
}

describeDetector('silent-corruption-detector', {
  plugin: () => silentCorruptionDetector({ regions: [PROGRAM], within: '200ms' }),
  guest: { guest: 'server' },
  busy: { guest: { guest: 'tasks' }, live: (rig) => rig.advance(LONG ? '3s' : '1s') },
  finds: [
    {
      what: 'a bit that flips in the code',
      kind: 'silent-corruption',
      inject: (rig) => flip(rig, Number(rig.symbol(PANIC))),
    },
  ],
});
