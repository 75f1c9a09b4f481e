import { P_PTABLE } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { silentCorruptionDetector } from '@rmk/silent-corruption-detector';
import { goldenRun, startRig } from '@rmk/testing';

// Code and constants of the guest, as `readelf --program-headers` shows them: the segment without W.
const program = { name: 'program', address: 0x8000_0000, bytes: 0x2a80 };
const rig = await startRig({
  guest: 'tasks',
  plugins: [...microcheckpoint(), silentCorruptionDetector({ regions: [program], within: '300ms' })],
});
rig.domain.bus.on('EVT_REGIONCORRUPTED', ({ region, address, bytes, atNs, lastRightNs }) =>
  console.log(
    `${bytes} bytes of ${region} at 0x${address.toString(16)} were right at ${lastRightNs / 1e6} ms, not at ${atNs / 1e6} ms`,
  ),
);
rig.domain.bus.on('EVT_RECOVERED', ({ record: { rung, checkpoint } }) =>
  console.log(`${rung}: the checkpoint of ${(checkpoint?.takenAtNs ?? 0) / 1e6} ms`),
);

await rig.advance('730ms');
const pageTable = rig.domain.get(P_PTABLE);
const text = new TextDecoder('latin1').decode(await pageTable.read(program.address, program.bytes));
await pageTable.write(program.address + text.indexOf('quicksort\0'), new TextEncoder().encode('s')); // q, but for a bit
await rig.runToEnd();
const isGolden = rig.output === (await goldenRun({ guest: 'tasks' })).output;
console.log(isGolden ? 'the output is the golden one' : 'the output is wrong');
