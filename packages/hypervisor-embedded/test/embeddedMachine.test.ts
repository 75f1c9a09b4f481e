import { hasCode, token, type EpochPlan } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMBEDDED_MACHINE } from '../src/embeddedMachine.js';
import { RAM_BASE } from '../src/memory/guestMemory.js';
import { assembled, assembledElf, echoes, NOTES, outcomeOf, sleeps, spins, stores } from './guestFixtures.js';

const PAGE = 4096;
const PAGES = 32;
const PLAN: EpochPlan = { preSave: 'none' };
const UPDATED: EpochPlan = { preSave: 'updated' };
const text = new TextEncoder();

function sorted(letters: readonly string[]): readonly string[] {
  return letters.toSorted((one, other) => one.localeCompare(other));
}

async function codeOf(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
  } catch (error) {
    if (hasCode(error)) return error.code;
    throw error;
  }
  return 'done';
}

describe('a VM of the embedded hypervisor', () => {
  it('says what it is', () => {
    const { machine } = assembled(spins, { memoryBytes: PAGES * PAGE });
    expect(machine.name).toBe('vm');
    expect(machine.memoryPages).toBe(PAGES);
    expect([...machine.capabilities].toSorted()).toEqual([
      'deterministic',
      'instruction-count',
      'pagefault-facts',
    ]);
    expect(machine.registers).toContain('mepc');
    expect(machine.signals).toContain('load-access-fault');
    expect(machine.extension(EMBEDDED_MACHINE)).toBe(machine);
    expect(machine.extension(token('SOMETHING_ELSE'))).toBeUndefined();
  });

  it('starts with its ELF and its boot data in memory, at the entry', async () => {
    const { machine } = assembled(spins, {
      bootData: [{ address: NOTES, data: text.encode('boot') }],
    });
    expect(await machine.read(RAM_BASE, 4)).toEqual(assembledElf(spins).slice(84, 88));
    expect(await machine.read(NOTES, 6)).toEqual(Uint8Array.of(...text.encode('boot'), 0, 0));
    expect(await machine.readRegister('pc')).toBe(BigInt(RAM_BASE));
  });

  it('gives each register back as it was written', async () => {
    const { machine } = assembled(spins);
    for (const name of ['x1', 'ra', 'x31', 'mscratch', 'mcause', 'mtval']) {
      await machine.writeRegister(name, 0xfedc_ba98n);
      expect(await machine.readRegister(name)).toBe(0xfedc_ba98n);
    }
  });

  it('takes writes of the host for writes of the guest: they fault, and a rollback undoes them', async () => {
    const { machine } = assembled(spins);
    const faults: number[][] = [];
    machine.observe('pagefault', ({ frames }) => void faults.push([...frames]));
    const { context, log } = await machine.checkpoint(PLAN);
    await machine.write(RAM_BASE + 5 * PAGE - 2, text.encode('abcd'));
    expect(faults).toEqual([[4, 5]]);
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, PLAN);
    expect(await machine.read(RAM_BASE + 5 * PAGE - 2, 4)).toEqual(new Uint8Array(4));
  });

  it('reads and writes up to the last byte of RAM, and nothing beyond', async () => {
    const { machine } = assembled(spins, { memoryBytes: PAGES * PAGE });
    const end = RAM_BASE + PAGES * PAGE;
    await machine.write(end - 3, Uint8Array.of(1, 2, 3));
    expect(await machine.read(end - 3, 3)).toEqual(Uint8Array.of(1, 2, 3));
    await machine.write(end, new Uint8Array(0));
    expect(await machine.read(RAM_BASE, 0)).toHaveLength(0);
    const outside: readonly (readonly [number, number])[] = [
      [end - 2, 3],
      [end, 1],
      [RAM_BASE - 1, 2],
      [0, 1],
      [-1, 1],
      [RAM_BASE, -1],
      [RAM_BASE + 0.5, 1],
      [NaN, 1],
      [Infinity, 1],
      [RAM_BASE, NaN],
      [RAM_BASE, 1.5],
    ];
    for (const [address, bytes] of outside) {
      expect([address, bytes, await codeOf(machine.read(address, bytes))]).toEqual([
        address,
        bytes,
        'RMK_ERR_ADDRESS',
      ]);
    }
    expect(await codeOf(machine.write(end - 2, new Uint8Array(3)))).toBe('RMK_ERR_ADDRESS');
    expect(await machine.read(end - 3, 3)).toEqual(Uint8Array.of(1, 2, 3));
    for (const frame of [-1, PAGES, 0.5, NaN])
      expect(() => machine.discard(frame)).toThrow('RMK_ERR_ADDRESS');
  });

  it('rejects what it does not have', async () => {
    const { machine } = assembled(spins);
    expect(await codeOf(machine.readRegister('eax'))).toBe('RMK_ERR_UNKNOWN');
    expect(await codeOf(machine.writeRegister('eax', 0n))).toBe('RMK_ERR_UNKNOWN');
    expect(await codeOf(machine.writeRegister('x1', -1n))).toBe('RMK_ERR_INPUT');
    expect(await codeOf(machine.raise('SIGSEGV'))).toBe('RMK_ERR_UNKNOWN');
    expect(await codeOf(machine.input('keyboard', text.encode('a')))).toBe('RMK_ERR_UNKNOWN');
    expect(machine.instructions).toBe(0);
  });

  it('raises nothing in a guest that is off', async () => {
    const { hypervisor, machine } = assembled((program) =>
      program.li('t0', 0x10_0000).li('t1', 0x5555).store('sw', 't1', 't0', 0),
    );
    await hypervisor.run();
    expect(await codeOf(machine.raise('breakpoint'))).toBe('RMK_ERR_STATE');
  });

  it('takes a page back that the guest gives up, and lets a rollback bring it again', async () => {
    const { machine } = assembled(spins);
    await machine.write(NOTES, text.encode('kept'));
    const { context, log } = await machine.checkpoint(PLAN);
    machine.discard((NOTES - RAM_BASE) / PAGE);
    expect(await machine.read(NOTES, 4)).toEqual(new Uint8Array(4));
    await machine.suspend();
    const { pagesRestored } = await machine.rollback({ context, logs: [log] }, PLAN);
    expect(pagesRestored).toBe(1);
    expect(await machine.read(NOTES, 4)).toEqual(text.encode('kept'));
  });

  it('breaks a reservation where the host writes into it', async () => {
    const { hypervisor, machine } = assembled((program) =>
      program
        .li('t0', NOTES)
        .atomic('lr', 't1', 'zero', 't0')
        .nop()
        .atomic('sc', 's0', 't1', 't0')
        .label('here')
        .jump('here'),
    );
    await hypervisor.run({ untilNs: 40 });
    await machine.write(NOTES + 3, Uint8Array.of(7));
    await hypervisor.run({ untilNs: 100 });
    expect(await machine.readRegister('s0')).toBe(1n);
    expect(await machine.read(NOTES, 4)).toEqual(Uint8Array.of(0, 0, 0, 7));
  });

  it('can do nothing once it has been closed', async () => {
    const { machine } = assembled(spins);
    const { context, log } = await machine.checkpoint(PLAN);
    await machine.suspend();
    await machine.close();
    await machine.close();
    const operations = [
      machine.suspend(),
      machine.resume(),
      machine.readRegister('pc'),
      machine.writeRegister('pc', 0n),
      machine.read(RAM_BASE, 1),
      machine.write(RAM_BASE, Uint8Array.of(1)),
      machine.raise('breakpoint'),
      machine.input('uart', Uint8Array.of(1)),
      machine.checkpoint(PLAN),
      machine.rollback({ context, logs: [log] }, PLAN),
      machine.restart(),
    ];
    for (const operation of operations) expect(await codeOf(operation)).toBe('RMK_ERR_STATE');
    expect(() => machine.discard(0)).toThrow('RMK_ERR_STATE');
  });
});

describe('a checkpoint', () => {
  it('reports the epoch that it ends', async () => {
    const { hypervisor, machine } = assembled(stores);
    const first = await machine.checkpoint(PLAN);
    expect([first.atNs, first.closed, first.log.pages]).toEqual([0, undefined, 0]);
    expect(await first.context.verify()).toBe(true);
    expect(first.context.bytes).toBeGreaterThan(200);
    await hypervisor.run({ untilNs: 5000 });
    const second = await machine.checkpoint(UPDATED);
    const { pauseHostNs, ...report } = second.closed ?? { pauseHostNs: NaN };
    expect(pauseHostNs).toBeGreaterThanOrEqual(0);
    expect(report).toEqual({
      openedAtNs: 0,
      closedAtNs: 5000,
      updated: Uint32Array.of(16, 17, 18, 19, 20, 21, 22, 23),
      pageFaults: 8,
      pagesSaved: 8,
      pagesPreSaved: 0,
      preSavedInVain: 0,
    });
    expect([second.atNs, second.log.pages]).toEqual([5000, 8]);
    await hypervisor.run({ untilNs: 5120 });
    const third = await machine.checkpoint(PLAN);
    const written = third.closed?.updated.length ?? 0;
    expect([1, 2]).toContain(written);
    expect(third.closed).toMatchObject({
      openedAtNs: 5000,
      pageFaults: 0,
      pagesPreSaved: 8,
      preSavedInVain: 8 - written,
    });
  });

  it('is nothing that the guest can see', async () => {
    const { hypervisor, machine } = assembled(sleeps(777));
    const golden = assembled(sleeps(777));
    await golden.hypervisor.run({ untilNs: 2e6 });
    for (let atNs = 0; atNs <= 2e6; atNs += 12_340) {
      await hypervisor.run({ untilNs: atNs });
      (await machine.checkpoint(atNs % 3 === 0 ? PLAN : UPDATED)).log.release();
    }
    await hypervisor.run({ untilNs: 2e6 });
    expect(outcomeOf(machine)).toEqual(outcomeOf(golden.machine));
  });
});

describe('a rollback', () => {
  async function threeCheckpoints() {
    const booted = assembled(stores);
    const checkpoints = [];
    for (const atNs of [1000, 2000, 3000]) {
      await booted.hypervisor.run({ untilNs: atNs });
      checkpoints.push(await booted.machine.checkpoint(PLAN));
    }
    await booted.hypervisor.run({ untilNs: 4000 });
    const [oldest, middle, newest] = checkpoints;
    if (oldest === undefined || middle === undefined || newest === undefined)
      throw new Error('no checkpoints');
    return { ...booted, oldest, middle, newest };
  }

  it('is refused while the VM runs', async () => {
    const { machine, newest } = await threeCheckpoints();
    const before = outcomeOf(machine);
    expect(await codeOf(machine.rollback({ context: newest.context, logs: [newest.log] }, PLAN))).toBe(
      'RMK_ERR_STATE',
    );
    expect(outcomeOf(machine)).toEqual(before);
  });

  it('is refused with what does not make a path to the checkpoint, and nothing has changed', async () => {
    const { machine, oldest, middle, newest } = await threeCheckpoints();
    const other = await threeCheckpoints();
    const foreign = { bytes: 0, verify: async () => true, release: () => undefined };
    const foreignLog = {
      pages: 0,
      frames: async () => new Uint32Array(0),
      read: async () => 'absent' as const,
      verify: async () => new Uint32Array(0),
      release: () => undefined,
    };
    await machine.suspend();
    const before = outcomeOf(machine);
    const targets = [
      { context: newest.context, logs: [], code: 'RMK_ERR_RELEASED' },
      { context: middle.context, logs: [middle.log], code: 'RMK_ERR_RELEASED' },
      { context: oldest.context, logs: [newest.log, oldest.log], code: 'RMK_ERR_RELEASED' },
      { context: newest.context, logs: [middle.log, newest.log], code: 'RMK_ERR_RELEASED' },
      { context: middle.context, logs: [newest.log, middle.log, middle.log], code: 'RMK_ERR_RELEASED' },
      { context: newest.context, logs: [newest.log, middle.log], code: 'RMK_ERR_INPUT' },
      { context: oldest.context, logs: [newest.log, middle.log], code: 'RMK_ERR_INPUT' },
      { context: foreign, logs: [newest.log], code: 'RMK_ERR_INPUT' },
      { context: newest.context, logs: [foreignLog], code: 'RMK_ERR_INPUT' },
      { context: other.newest.context, logs: [newest.log], code: 'RMK_ERR_INPUT' },
      { context: newest.context, logs: [other.newest.log], code: 'RMK_ERR_INPUT' },
      { context: middle.context, logs: [newest.log, other.middle.log], code: 'RMK_ERR_INPUT' },
    ];
    for (const [i, { code, ...target }] of targets.entries()) {
      expect([i, await codeOf(machine.rollback(target, PLAN))]).toEqual([i, code]);
    }
    const outside: EpochPlan = { preSave: 'none', add: Uint32Array.of(PAGES) };
    const target = { context: newest.context, logs: [newest.log] };
    expect(await codeOf(machine.rollback(target, outside))).toBe('RMK_ERR_ADDRESS');
    expect(await codeOf(machine.rollback(target, { preSave: 'none', clusterPages: 3 }))).toBe(
      'RMK_ERR_INPUT',
    );
    expect(outcomeOf(machine)).toEqual(before);
    expect(await codeOf(machine.rollback(target, PLAN))).toBe('done');
    expect(machine.guestNs).toBe(3000);
  });

  it('is refused over a released log, and still done to what is newer', async () => {
    const { machine, oldest, middle, newest } = await threeCheckpoints();
    await machine.suspend();
    middle.log.release();
    const before = outcomeOf(machine);
    const logs = [newest.log, middle.log, oldest.log];
    expect(await codeOf(machine.rollback({ context: oldest.context, logs }, PLAN))).toBe('RMK_ERR_RELEASED');
    expect(await codeOf(middle.log.read(0))).toBe('RMK_ERR_RELEASED');
    expect(await codeOf(middle.log.frames())).toBe('RMK_ERR_RELEASED');
    expect(await codeOf(middle.log.verify())).toBe('RMK_ERR_RELEASED');
    expect(outcomeOf(machine)).toEqual(before);
    expect(await codeOf(machine.rollback({ context: newest.context, logs: [newest.log] }, PLAN))).toBe(
      'done',
    );
  });

  it('is refused after the open log was released, until there is a new checkpoint', async () => {
    const { hypervisor, machine, middle, newest } = await threeCheckpoints();
    newest.log.release();
    await hypervisor.run({ untilNs: 5000 });
    await machine.suspend();
    for (const logs of [[newest.log], [newest.log, middle.log], [middle.log]]) {
      expect(await codeOf(machine.rollback({ context: middle.context, logs }, PLAN))).toBe(
        'RMK_ERR_RELEASED',
      );
    }
    const before = outcomeOf(machine);
    const next = await machine.checkpoint(UPDATED);
    expect(next.closed).toBeUndefined();
    await machine.resume();
    await hypervisor.run({ untilNs: 6000 });
    await machine.suspend();
    await machine.rollback({ context: next.context, logs: [next.log] }, PLAN);
    expect(outcomeOf(machine)).toEqual(before);
  });

  it('is refused after a restart, which discards all checkpoints', async () => {
    const { machine, newest } = await threeCheckpoints();
    await machine.restart();
    await machine.suspend();
    expect(await codeOf(machine.rollback({ context: newest.context, logs: [newest.log] }, PLAN))).toBe(
      'RMK_ERR_RELEASED',
    );
    expect((await machine.checkpoint(PLAN)).closed).toBeUndefined();
  });

  it('can be done again and again to the same state', async () => {
    const { hypervisor, machine, oldest, middle, newest } = await threeCheckpoints();
    await machine.suspend();
    let target = await machine.rollback(
      { context: oldest.context, logs: [newest.log, middle.log, oldest.log] },
      UPDATED,
    );
    const before = outcomeOf(machine);
    for (let i = 1; i <= 5; i++) {
      await machine.resume();
      await hypervisor.run({ untilNs: 4000 + i * 1000 });
      await machine.suspend();
      target = await machine.rollback({ context: target.context, logs: [target.log] }, UPDATED);
      expect(target.undoneNs).toBe(1000);
      expect(outcomeOf(machine)).toEqual(before);
    }
  });
});

describe('a restart', () => {
  it('begins the same run again', async () => {
    const golden = assembled(stores);
    await golden.hypervisor.run({ untilNs: 50_000 });
    const { hypervisor, machine } = assembled(stores);
    await hypervisor.run({ untilNs: 33_330 });
    await machine.checkpoint(PLAN);
    await machine.write(NOTES, text.encode('garbage'));
    await machine.writeRegister('mtvec', 0x8000_1000n);
    machine.discard(0);
    await machine.restart();
    await hypervisor.run({ untilNs: 83_330 });
    expect(outcomeOf(machine)).toEqual(outcomeOf(golden.machine));
  });

  it('is done at power-on too, and to a VM that is suspended or off', async () => {
    const { hypervisor, machine } = assembled((program) =>
      program.li('t0', 0x10_0000).li('t1', 0x5555).store('sw', 't1', 't0', 0),
    );
    const fresh = outcomeOf(machine);
    await machine.restart();
    expect(outcomeOf(machine)).toEqual(fresh);
    await hypervisor.run();
    await machine.suspend();
    await machine.restart();
    expect(outcomeOf(machine)).toEqual(fresh);
    await hypervisor.run();
    expect(machine.exitCode).toBeUndefined();
    await machine.resume();
    await hypervisor.run();
    expect(machine.exitCode).toBe(0);
  });
});

describe('input', () => {
  /** Byte and low word of mtime of each byte that the guest received. */
  async function received(
    machine: ReturnType<typeof assembled>['machine'],
  ): Promise<readonly (readonly [string, number])[]> {
    const notes = await machine.read(NOTES, 1024);
    const words = new Uint32Array(notes.buffer, notes.byteOffset, 256);
    const found: (readonly [string, number])[] = [];
    for (let i = 0; words[i] !== 0; i += 2) {
      found.push([String.fromCharCode(words[i] ?? 0), words[i + 1] ?? 0]);
    }
    return found;
  }

  it('arrives at the same guest time after rollbacks, scripted and live, nothing lost and nothing twice', async () => {
    const stretch = fc.record({
      runNs: fc.integer({ min: 1, max: 40_000 }),
      type: fc.constantFrom('', 'x', 'yz'),
      back: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(stretch, { maxLength: 12 }), async (stretches) => {
        const script = [
          { at: '50us', data: text.encode('abc') },
          { at: '130us', data: text.encode('d') },
        ] as const;
        // What a run without rollbacks gets, with the same input at the same guest times.
        const golden = assembled(echoes, { input: [...script] });
        const { hypervisor, machine } = assembled(echoes, { input: [...script] });
        for (const { runNs, type, back } of stretches) {
          const { context, log } = await machine.checkpoint(PLAN);
          await hypervisor.run({ untilNs: machine.clock.now() + runNs });
          await golden.hypervisor.run({ untilNs: machine.guestNs });
          if (type !== '') {
            await machine.input('uart', text.encode(type));
            await golden.machine.input('uart', text.encode(type));
            await hypervisor.run({ untilNs: machine.clock.now() + 1000 });
            await golden.hypervisor.run({ untilNs: machine.guestNs });
          }
          const reached = machine.guestNs;
          if (back) {
            await machine.suspend();
            (await machine.rollback({ context, logs: [log] }, PLAN)).log.release();
            await machine.resume();
            await hypervisor.run({ untilNs: machine.clock.now() + reached - machine.guestNs });
          }
          log.release();
          expect(outcomeOf(machine)).toEqual(outcomeOf(golden.machine));
        }
        await hypervisor.run({ untilNs: machine.clock.now() + 200_000 });
        await golden.hypervisor.run({ untilNs: machine.guestNs });
        expect(outcomeOf(machine)).toEqual(outcomeOf(golden.machine));
        const bytes = (await received(machine)).map(([byte]) => byte);
        const typed = stretches.map(({ type }) => type).join('');
        expect(sorted(bytes)).toEqual(sorted(`abcd${typed}`.split('')));
      }),
      { numRuns: 60 },
    );
  });

  it('that is foreseen arrives at its guest time and not before', async () => {
    const { hypervisor, machine } = assembled(echoes, {
      input: [
        { at: '30us', data: text.encode('b') },
        { at: '10us', data: text.encode('a') },
        { at: '50us', data: text.encode('q') },
      ],
    });
    await hypervisor.run();
    const times = await received(machine);
    expect(times.map(([byte]) => byte).join('')).toBe('abq');
    // mtime counts in units of 100 ns; the guest polls in a loop of 4 instructions.
    for (const [i, [, ticks]] of times.entries()) {
      expect(ticks).toBeGreaterThanOrEqual([100, 300, 500][i] ?? 0);
      expect(ticks).toBeLessThanOrEqual([101, 301, 501][i] ?? 0);
    }
    expect(new TextDecoder().decode(machine.committedOutput)).toBe('abq');
  });

  it('comes again after a restart, at the guest time at which it came', async () => {
    const { hypervisor, machine } = assembled(echoes, { input: [{ at: '10us', data: text.encode('s') }] });
    await hypervisor.run({ untilNs: 20_000 });
    await machine.input('uart', text.encode('live'));
    await hypervisor.run({ untilNs: 40_000 });
    const first = outcomeOf(machine);
    expect(first.output).toBe('slive');
    await machine.restart();
    await hypervisor.run({ untilNs: 80_000 });
    expect(outcomeOf(machine)).toEqual(first);
  });
});
