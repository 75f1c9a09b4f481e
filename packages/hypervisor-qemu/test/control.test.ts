import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ControlCheckpoint } from '../src/control/checkpointControl.js';
import { describeQemu, QEMU } from './qemuPresent.js';
import {
  at,
  checkpoints,
  describeControl,
  exactly,
  protectedGuest,
  release,
  type ProtectedGuest,
} from './protectedGuest.js';
import { temporaryFolder } from './temporaryFolder.js';

/** One of the orders of the property below; the checkpoints retained afterwards, oldest first. */
async function setQmpCommands(
  vm: ProtectedGuest,
  ring: readonly ControlCheckpoint[],
  order: string | number,
): Promise<ControlCheckpoint[]> {
  const { control } = vm;
  const newest = at(ring, -1);
  if (order === 'checkpoint') return [...ring, await control.checkpoint()];
  if (order === 'ask') await control.newlyWrittenPages();
  if (order === 'ask for pages') await control.frames(newest.log);
  if (order === 'let run') await wait(3);
  if (order === 'release the oldest' && ring.length > 1) {
    release(control, ring.slice(0, 1));
    return ring.slice(1);
  }
  if (typeof order !== 'number') return [...ring];
  const index = order % ring.length;
  const target = at(ring, index);
  const undone = ring.slice(index);
  const back = await control.rollback(target.state, undone.map(({ log }) => log).toReversed());
  expect(back.audit).toEqual(exactly(target));
  release(control, undone);
  await vm.guest.target.qmp.execute('cont');
  return [...ring.slice(0, index), back];
}

for (const kind of ['in-process', 'qmp'] as const) {
  describeControl(kind, `control ${kind}, of a guest that checks its own memory`, () => {
    test('a rollback over any number of epochs brings back memory and devices bit for bit', async () => {
      await using vm = await protectedGuest(kind);
      for (let epochs = 1; epochs <= 8; epochs++) {
        const cuts = await checkpoints(vm.control, epochs);
        const back = await vm.control.rollback(at(cuts, 0).state, cuts.map(({ log }) => log).toReversed());
        expect(back.audit).toEqual(exactly(at(cuts, 0)));
        release(vm.control, [...cuts, back]);
        await vm.goesOn();
      }
      await vm.control.close();
      await vm.guest.proves();
    });

    test('after a rollback an older checkpoint can be reached still', async () => {
      await using vm = await protectedGuest(kind);
      const cuts = await checkpoints(vm.control, 3);
      const back = await vm.control.rollback(at(cuts, 1).state, [at(cuts, 2).log, at(cuts, 1).log]);
      await vm.goesOn();
      const older = await vm.control.rollback(at(cuts, 0).state, [back.log, at(cuts, 0).log]);
      expect(older.audit).toEqual(exactly(at(cuts, 0)));
      await vm.goesOn();
    });

    test('what was written in an epoch is reported, and its prior content kept', async () => {
      await using vm = await protectedGuest(kind);
      const first = await vm.control.checkpoint();
      await vm.guest.proves();
      const known = await vm.control.frames(first.log);
      // The count lies in page frame 1, and what it is spread over from 0x200000 on.
      expect(known).toContain(1);
      expect(known).toContain(0x200);
      expect(known).not.toContain(0x100);
      expect(await vm.control.newlyWrittenPages()).toBeGreaterThan(200);
      const prior = await vm.control.page(first.log, 1);
      const next = await vm.control.checkpoint();
      expect(next.closed?.log).toBe(first.log);
      expect(next.closed?.updated).toEqual(known);
      expect(await vm.control.page(first.log, 1)).toEqual(prior);
      expect(await vm.control.page(first.log, 0x100)).toBeUndefined();
      expect(await vm.control.verifyLog(first.log)).toEqual(new Uint32Array(0));
      expect(await vm.control.verifyState(first.state)).toBe(true);
    });

    test('without its log open, an epoch ends in a first checkpoint, which is exact again', async () => {
      await using vm = await protectedGuest(kind);
      const given = await vm.control.checkpoint();
      release(vm.control, [given]);
      await vm.guest.proves();
      await expect(vm.control.rollback(given.state, [given.log])).rejects.toThrow('RMK_ERR_RELEASED');
      const first = await vm.control.checkpoint();
      expect(first.closed).toBeUndefined();
      await vm.guest.proves();
      const back = await vm.control.rollback(first.state, [first.log]);
      expect(back.audit).toEqual(exactly(first));
      await vm.goesOn();
    });

    test('a rollback needs the log of every epoch since, newest first', async () => {
      await using vm = await protectedGuest(kind);
      const cuts = await checkpoints(vm.control, 3);
      const [oldest, middle, newest] = [at(cuts, 0), at(cuts, 1), at(cuts, 2)];
      for (const logs of [
        [oldest.log],
        [newest.log, oldest.log],
        [middle.log, oldest.log],
        [newest.log, middle.log],
      ]) {
        await expect(vm.control.rollback(oldest.state, logs)).rejects.toThrow('RMK_ERR_INPUT');
      }
      // Nothing was lost by it.
      await vm.guest.proves();
      const back = await vm.control.rollback(oldest.state, [newest.log, middle.log, oldest.log]);
      expect(back.audit).toEqual(exactly(oldest));
    });

    test('the pause handler is called while the VM is paused, for checkpoints and rollbacks', async () => {
      await using vm = await protectedGuest(kind);
      const calls: string[] = [];
      await vm.control.onPause(({ kind: what }) => {
        const before = vm.guest.output.length;
        const until = performance.now() + 5;
        while (performance.now() < until);
        calls.push(`${what} ${vm.guest.output.length - before}`);
      });
      const cut = await vm.control.checkpoint();
      await vm.control.rollback(cut.state, [cut.log]);
      await vm.control.onPause(undefined);
      await vm.control.checkpoint();
      expect(calls).toEqual(['checkpoint 0', 'rollback 0']);
      await vm.goesOn();
    });

    test('concurrent requests are executed one after the other', async () => {
      await using vm = await protectedGuest(kind);
      await vm.control.onPause(() => undefined);
      const first = vm.control.checkpoint();
      const written = vm.control.newlyWrittenPages();
      const second = vm.control.checkpoint();
      expect((await second).closed?.log).toBe((await first).log);
      expect(await written).toBeGreaterThan(0);
      const back = vm.control.rollback((await first).state, [(await second).log, (await first).log]);
      const after = vm.control.newlyWrittenPages();
      expect((await back).audit).toEqual(exactly(await first));
      await after;
      await vm.goesOn();
    });

    test('a handler of the cut that fails does not keep the guest', async () => {
      await using vm = await protectedGuest(kind);
      await vm.control.onPause(() => {
        throw new Error('no idea');
      });
      await expect(vm.control.checkpoint()).rejects.toThrow('no idea');
      await vm.guest.proves();
    });

    test('RAM is that of the checkpoint by another digest too, taken by somebody else in the pause', async () => {
      await using vm = await protectedGuest(kind);
      const digests: string[] = [];
      await vm.control.onPause(() => {
        digests.push(createHash('sha256').update(readFileSync(vm.guest.target.ramFile)).digest('hex'));
      });
      const cut = await vm.control.checkpoint();
      await vm.guest.proves();
      const later = await vm.control.checkpoint();
      await vm.control.rollback(cut.state, [later.log, cut.log]);
      expect(digests[2]).toBe(digests[0]);
      expect(digests[2]).not.toBe(digests[1]);
      await vm.goesOn();
    });

    test('whatever is done in whatever order, each rollback is exact', { timeout: 120_000 }, async () => {
      await using vm = await protectedGuest(kind);
      const order = fc.oneof(
        fc.constantFrom('checkpoint', 'checkpoint', 'ask', 'ask for pages', 'release the oldest', 'let run'),
        fc.nat({ max: 6 }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(order, { maxLength: 15 }), async (orders) => {
          let ring: ControlCheckpoint[] = [await vm.control.checkpoint()];
          for (const next of orders) ring = await setQmpCommands(vm, ring, next);
          release(vm.control, ring);
        }),
        { numRuns: kind === 'qmp' ? 10 : 30 },
      );
      await vm.guest.proves();
    });

    const rounds = kind === 'qmp' ? 25 : 100;
    test(
      `${10 * rounds} checkpoints and ${rounds} rollbacks in a row are exact`,
      { timeout: 180_000 },
      async () => {
        await using vm = await protectedGuest(kind);
        let kept = await vm.control.checkpoint();
        for (let round = 0; round < rounds; round++) {
          const cuts = [kept];
          for (let index = 0; index < 10; index++) cuts.push(await vm.control.checkpoint());
          kept = await vm.control.rollback(kept.state, cuts.map(({ log }) => log).toReversed());
          expect(kept.audit).toEqual(exactly(at(cuts, 0)));
          release(vm.control, cuts);
          await vm.guest.target.qmp.execute('cont');
          await wait(3);
        }
        await vm.guest.proves();
      },
    );
  });
}

describeControl('qmp', 'control qmp', () => {
  test('a write by the gdb stub counts as written, and is undone by a rollback', async () => {
    await using vm = await protectedGuest('qmp', { gdb: true });
    const cut = await vm.control.checkpoint();
    await vm.control.write(0x5000, new Uint8Array(5000).fill(7));
    const frames = await vm.control.frames(cut.log);
    expect([...frames].filter((frame) => frame === 5 || frame === 6)).toEqual([5, 6]);
    const next = await vm.control.checkpoint();
    expect(Buffer.from(vm.guest.memory(0x5000, 5000)).equals(Buffer.alloc(5000, 7))).toBe(true);
    const back = await vm.control.rollback(cut.state, [next.log, cut.log]);
    expect(back.audit).toEqual(exactly(cut));
    expect(vm.guest.memory(0x5000, 1)).toEqual(Uint8Array.of(0));
    await vm.goesOn();
  });
});

describeQemu('control in-process', () => {
  test('a write from outside is executed if code lay there, counts as written, and is undone by a rollback', async () => {
    await using vm = await protectedGuest('in-process');
    const cut = await vm.control.checkpoint();
    await vm.control.write(0x5000, Uint8Array.of(1, 2, 3));
    expect(await vm.control.frames(cut.log)).toContain(5);
    const back = await vm.control.rollback(cut.state, [cut.log]);
    expect(back.audit).toEqual(exactly(cut));
    await vm.goesOn();
  });

  test('a write that does not arrive in RAM is refused', async () => {
    await using vm = await protectedGuest('in-process');
    await expect(vm.control.write(16 << 20, Uint8Array.of(1))).rejects.toThrow('RMK_ERR_ADDRESS');
    await expect(vm.control.write(0xf0000, Uint8Array.of(1))).rejects.toThrow('RMK_ERR_ADDRESS');
    await vm.guest.proves();
  });
});

describeQemu('the choice of control', () => {
  test('is in-process for a QEMU that is known', async () => {
    await using vm = await protectedGuest('auto');
    expect([vm.control.kind, vm.control.tracker]).toEqual(['in-process', 'dirty-bitmap']);
    expect(vm.why).toContain('self-test passed');
  });

  test('is QMP, and says why, for a QEMU that lacks a function that is called', async () => {
    const name = 'qemu_save_device_state';
    const installed = execFileSync('which', [QEMU], { encoding: 'utf8' }).trim();
    const program = readFileSync(installed);
    const place = program.indexOf(`\0${name}\0`);
    expect(place, 'where its symbols are').toBeGreaterThan(0);
    program.write('X', place + name.length);
    const qemu = join(await temporaryFolder(), 'qemu-system-other');
    writeFileSync(qemu, program, { mode: 0o700 });
    // It looks for its ROMs and modules beside itself.
    const environment = { QEMU_MODULE_DIR: '/usr/lib/x86_64-linux-gnu/qemu' };
    const roms = ['/usr/share/qemu', '/usr/share/seabios'].flatMap((folder) => ['-L', folder]);
    await using vm = await protectedGuest('auto', { qemu, environment, arguments: roms });
    expect(vm.control.kind).toBe('qmp');
    expect(vm.why).toContain(`this QEMU does not export ${name}`);
  });

  test('is QMP, and says why, where calls within QEMU are not known to work', async () => {
    await using vm = await protectedGuest('auto', { arguments: ['-smp', '2'] });
    expect([vm.control.kind, vm.control.tracker]).toEqual(['qmp', 'userfaultfd-async']);
    expect(vm.why).toContain('the VM must have one vCPU (-smp 1)');
  });
});
