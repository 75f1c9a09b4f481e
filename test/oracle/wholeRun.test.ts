import { expect, it } from 'vitest';
import { LONG } from '../long.js';
import { ownGuests, usersGuests, workloads } from './oracleGuests.js';
import { describeOracle } from './qemu.js';
import { ENGINES, runEmbedded } from './runEmbedded.js';
import { runUnderQemu } from './runUnderQemu.js';

const TIMEOUT = 120_000;
/** RMK's guests check their own work, and end with a line that says so, with a checksum of all of it. */
const CHECKED = /^(\w+): ok ([0-9a-f]{8})\n$/m;

describeOracle('whole runs under QEMU and on both engines of the embedded hypervisor are alike', () => {
  it.concurrent.each([...ownGuests(), ...(LONG ? workloads() : [])])(
    'oracle: output, exit code and final checksum of $name',
    { timeout: 2 * TIMEOUT },
    async (guest) => {
      const theirs = await runUnderQemu({ ...guest, timeout: TIMEOUT });
      for (const engine of ENGINES) {
        const ours = await runEmbedded(guest, engine);
        const [theirText, ourText] = [theirs.output, ours.output].map((bytes) =>
          new TextDecoder().decode(bytes),
        );
        expect(ourText, engine).toBe(theirText);
        expect(ours, engine).toEqual(theirs);
        const [, name, checksum] = CHECKED.exec(ourText ?? '') ?? [];
        expect({ name, exitCode: ours.exitCode }, ourText).toEqual({ name: guest.name, exitCode: 0 });
        expect(checksum).toBe(CHECKED.exec(theirText ?? '')?.[2]);
      }
    },
  );

  it.concurrent.for(usersGuests())(
    'oracle: output and exit code of $name',
    { timeout: 2 * TIMEOUT },
    async (guest) => {
      const theirs = await runUnderQemu({ ...guest, timeout: TIMEOUT });
      for (const engine of ENGINES) expect(await runEmbedded(guest, engine), engine).toEqual(theirs);
    },
  );
});
