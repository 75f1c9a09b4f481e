import type { Facts } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EmbeddedMachine } from '../src/embeddedMachine.js';
import {
  assembled,
  assembledElf,
  CYCLE_NS,
  echoes,
  exits,
  halts,
  NOTES,
  outcomeOf,
  sleeps,
  spins,
  tasks,
  type Program,
} from './guestFixtures.js';
import { EmbeddedHypervisor } from '../src/embeddedHypervisor.js';

const PLAN = { preSave: 'none' } as const;
const text = new TextEncoder();

function observed<F extends keyof Facts>(machine: EmbeddedMachine, fact: F): Facts[F][] {
  const emitted: Facts[F][] = [];
  machine.observe(fact, (what) => void emitted.push(what));
  return emitted;
}

/** A promise and the function that fulfils it. */
function promise(): { readonly pending: Promise<void>; readonly settle: () => void } {
  let settle = (): void => undefined;
  const pending = new Promise<void>((resolve) => (settle = resolve));
  return { pending, settle };
}

describe('a VM that is held', () => {
  it('executes no instruction, while its neighbours run on', async () => {
    const { hypervisor, machine } = assembled(spins);
    const neighbour = hypervisor.createMachine({ name: 'neighbour', elf: assembledElf(spins) });
    const { pending, settle } = promise();
    let hold: Promise<void> | undefined;
    machine.holdWhile(() => hold);
    machine.clock.after(1230, () => {
      hold = pending;
    });
    let atRelease: readonly number[] = [];
    neighbour.clock.after(50e6, () => {
      atRelease = [machine.instructions, neighbour.instructions];
      hold = undefined;
      settle();
    });
    await hypervisor.run({ untilNs: 60e6 });
    expect(atRelease).toEqual([123, 5e6]);
    expect([machine.instructions, neighbour.instructions]).toEqual([6e6, 6e6]);
  });

  it('is waited for, also where it is the last one', async () => {
    const { hypervisor, machine } = assembled(spins);
    let hold: Promise<void> | undefined = Promise.resolve().then(() => void (hold = undefined));
    machine.holdWhile(() => hold);
    await hypervisor.run({ untilNs: 1000 });
    expect(machine.instructions).toBe(100);
  });

  it('stops in the very instruction that raised a signal', async () => {
    const { hypervisor, machine } = assembled((program) =>
      program.nop().nop().word(0).label('here').jump('here'),
    );
    let hold: Promise<void> | undefined;
    const seen: number[] = [];
    machine.holdWhile(() => hold);
    machine.observe('signal', () => {
      hold ??= (async () => {
        await Promise.resolve();
        seen.push(machine.instructions, machine.clock.now());
        await machine.suspend();
        hold = undefined;
      })();
    });
    await hypervisor.run({ untilNs: 1e6 });
    expect(seen).toEqual([2, 30]);
    expect(machine.clock.now()).toBe(30);
  });
});

describe('suspending', () => {
  it('stops the VM until it is resumed, and does no harm twice', async () => {
    const { hypervisor, machine } = assembled(spins);
    await machine.suspend();
    await machine.suspend();
    await hypervisor.run({ untilNs: 1000 });
    expect(machine.instructions).toBe(0);
    await machine.resume();
    await machine.resume();
    await hypervisor.run({ untilNs: 1000 });
    expect(machine.instructions).toBe(100);
  });

  it('within a timer takes effect at its instruction, and the neighbours run on', async () => {
    const { hypervisor, machine } = assembled(spins);
    const neighbour = hypervisor.createMachine({ name: 'neighbour', elf: assembledElf(spins) });
    machine.clock.after(550, async () => machine.suspend());
    await hypervisor.run({ untilNs: 20e6 });
    expect([machine.instructions, neighbour.instructions]).toEqual([55, 2e6]);
  });
});

describe('a VM that waits for nothing', () => {
  it('ends the run at once where no timer could do something about it', async () => {
    const { hypervisor, machine } = assembled(halts);
    await hypervisor.run();
    expect([machine.instructions, machine.clock.now()]).toEqual([1, 10]);
  });

  it('lets its time jump to each timer, and is reported as halted', async () => {
    const { hypervisor, machine } = assembled(halts);
    const scheduled = observed(machine, 'scheduled');
    const firedNs: number[] = [];
    machine.clock.after(25e6, () => void firedNs.push(machine.clock.now()));
    await hypervisor.run();
    expect(firedNs).toEqual([25e6]);
    expect(machine.clock.now()).toBe(25e6);
    expect(scheduled).toEqual([
      {
        atNs: 10e6,
        cpuNs: 10,
        idleNs: 0,
        haltedNs: 10e6 - 10,
        instructions: 1,
        state: 'halted',
        progress: [],
      },
      { atNs: 20e6, cpuNs: 0, idleNs: 0, haltedNs: 10e6, instructions: 0, state: 'halted', progress: [] },
    ]);
  });

  it('is brought back by a rollback in a timer', async () => {
    const { hypervisor, machine } = assembled((program) => program.nop().nop().nop().wfi().wfi());
    await hypervisor.run({ untilNs: 10 });
    const { context, log } = await machine.checkpoint(PLAN);
    machine.clock.after(1000, async () => {
      await machine.suspend();
      await machine.rollback({ context, logs: [log] }, PLAN);
      await machine.resume();
    });
    await hypervisor.run();
    expect(machine.instructions).toBe(4);
    expect(machine.clock.now()).toBe(1010 + 30);
  });
});

describe('a guest that switches itself off', () => {
  it('ends the run, and is reported once with its code', async () => {
    const { hypervisor, machine } = assembled(exits(0));
    const exited = observed(machine, 'exited');
    const signals = observed(machine, 'signal');
    await hypervisor.run();
    await hypervisor.run();
    expect(machine.exitCode).toBe(0);
    expect(exited).toEqual([{ atNs: machine.clock.now(), code: 0 }]);
    expect(signals).toEqual([]);
  });

  it('with a failure sends a signal first', async () => {
    const { hypervisor, machine } = assembled(exits(7));
    const emitted: string[] = [];
    machine.observe('signal', ({ cause, privilege }) => void emitted.push(`${cause} in ${privilege} mode`));
    machine.observe('exited', ({ code }) => void emitted.push(`exited ${code}`));
    await hypervisor.run();
    expect(emitted).toEqual(['exit-failure in machine mode', 'exited 7']);
    expect(machine.exitCode).toBe(7);
  });

  it('is on again after a rollback, and off again with the same outcome', async () => {
    const { hypervisor, machine } = assembled(exits(3, 1000));
    const exited = observed(machine, 'exited');
    await hypervisor.run({ untilNs: 5000 });
    const { context, log } = await machine.checkpoint(PLAN);
    await hypervisor.run();
    const first = outcomeOf(machine);
    expect(first.exitCode).toBe(3);
    await machine.suspend();
    const { undoneNs } = await machine.rollback({ context, logs: [log] }, PLAN);
    expect(machine.exitCode).toBeUndefined();
    await machine.resume();
    await hypervisor.run();
    expect(outcomeOf(machine)).toEqual(first);
    expect(exited.map(({ code }) => code)).toEqual([3, 3]);
    expect((exited[1]?.atNs ?? 0) - (exited[0]?.atNs ?? 0)).toBe(undoneNs);
  });

  it('stays off where the checkpoint was taken when it was off', async () => {
    const { hypervisor, machine } = assembled(exits(0));
    const exited = observed(machine, 'exited');
    await hypervisor.run();
    const { context, log } = await machine.checkpoint(PLAN);
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, PLAN);
    await machine.resume();
    await hypervisor.run();
    expect([machine.exitCode, exited.length]).toEqual([0, 1]);
  });
});

describe('scheduled facts', () => {
  const sum = (all: readonly Facts['scheduled'][]): number =>
    all.reduce((total, { cpuNs, idleNs, haltedNs }) => total + cpuNs + idleNs + haltedNs, 0);

  it('account for all time exactly, at most an interval apart, whatever else happens', async () => {
    const disturbance = fc.record({
      atNs: fc.integer({ min: 1000, max: 3e6 }),
      kind: fc.constantFrom('raise', 'checkpoint', 'suspend', 'run'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2000, max: 80_000 }),
        fc.array(disturbance, { maxLength: 6 }),
        async (sliceCycles, disturbances) => {
          const { hypervisor, machine } = assembled(
            sleeps(777),
            {},
            { slice: `${sliceCycles * CYCLE_NS}ns` },
          );
          const scheduled = observed(machine, 'scheduled');
          for (const { atNs, kind } of disturbances.toSorted((one, other) => one.atNs - other.atNs)) {
            await hypervisor.run({ untilNs: atNs });
            // The guest takes it for a tick of its timer, which is as good as any other handler.
            if (kind === 'raise') await machine.raise('breakpoint');
            if (kind === 'checkpoint') (await machine.checkpoint(PLAN)).log.release();
            if (kind === 'suspend') {
              await machine.suspend();
              await hypervisor.run({ untilNs: atNs + 100 });
              await machine.resume();
            }
          }
          await hypervisor.run({ untilNs: 3e6 });
          const endsNs = [0, ...scheduled.map(({ atNs }) => atNs)];
          for (const [i, fact] of scheduled.entries()) {
            const lengthNs = fact.atNs - (endsNs[i] ?? 0);
            expect(fact.cpuNs + fact.idleNs + fact.haltedNs).toBe(lengthNs);
            // An exception that is raised at the end of a slice takes a cycle more.
            const raises = disturbances.filter(({ kind }) => kind === 'raise').length;
            expect(lengthNs).toBeLessThanOrEqual(machine.schedulingIntervalNs + raises * CYCLE_NS);
          }
          expect(sum(scheduled)).toBe(endsNs.at(-1));
          expect(machine.clock.now() - (endsNs.at(-1) ?? 0)).toBeLessThan(machine.schedulingIntervalNs);
          const idleNs = scheduled.reduce((total, fact) => total + fact.idleNs, 0);
          if (sum(scheduled) > 1e6) expect(idleNs).toBeGreaterThan(0);
          expect(scheduled.every(({ haltedNs }) => haltedNs === 0)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('say what the VM was doing at the end of the stretch', async () => {
    const states = async (build: Parameters<typeof assembled>[0]): Promise<readonly string[]> => {
      const { hypervisor, machine } = assembled(build);
      const scheduled = observed(machine, 'scheduled');
      machine.clock.after(30e6, () => undefined);
      await hypervisor.run({ untilNs: 30e6 });
      return scheduled.map(({ state }) => state);
    };
    expect(await states(spins)).toEqual(['ran', 'ran', 'ran']);
    expect(await states(sleeps(90_000))).toEqual(['idle', 'idle', 'idle']);
    expect(await states(halts)).toEqual(['halted', 'halted', 'halted']);
  });

  it('report the last sign of each kind with its time, once', async () => {
    const { hypervisor, machine } = assembled(sleeps(70_000));
    const scheduled = observed(machine, 'scheduled');
    await hypervisor.run({ untilNs: 40e6 });
    // The timer rings each 7 ms, and the handler takes some cycles until it re-arms it.
    const rearmedNs = scheduled.map(({ progress }) => progress);
    expect(rearmedNs.map((signs) => signs.map(({ sign }) => sign).join())).toEqual(
      Array<string>(4).fill('timer-rearmed'),
    );
    const times = rearmedNs.map(([sign]) => sign?.atNs ?? 0);
    expect(times.map((atNs) => Math.floor(atNs / 1e6))).toEqual([7, 14, 28, 35]);
    const first = times[0] ?? 0;
    expect(times).toEqual([first, first + 7e6, first + 21e6, first + 28e6]);
  });

  it('report no sign of an earlier stretch', async () => {
    const { hypervisor, machine } = assembled(sleeps(150_000));
    const scheduled = observed(machine, 'scheduled');
    await hypervisor.run({ untilNs: 40e6 });
    // The timer is armed at the start, and again after 15 ms and 30 ms.
    expect(scheduled.map(({ progress }) => progress.map(({ atNs }) => Math.floor(atNs / 1e6)))).toEqual([
      [0],
      [15],
      [],
      [30],
    ]);
  });

  it('report context switches of a kernel with tasks', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine(tasks());
    const scheduled = observed(machine, 'scheduled');
    await hypervisor.run({ untilNs: 50e6 });
    for (const { atNs, progress } of scheduled.slice(1)) {
      expect(progress.map(({ sign }) => sign)).toEqual(['context-switch', 'timer-rearmed']);
      for (const sign of progress) expect(atNs - sign.atNs).toBeLessThan(2e6);
    }
    expect(scheduled).toHaveLength(5);
  });

  it('begin a new stretch after a rollback and after a restart', async () => {
    const { hypervisor, machine } = assembled(sleeps(10_000));
    const scheduled = observed(machine, 'scheduled');
    const { context, log } = await machine.checkpoint(PLAN);
    await hypervisor.run({ untilNs: 14e6 });
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, PLAN);
    await machine.resume();
    await hypervisor.run({ untilNs: 30e6 });
    await machine.restart();
    await hypervisor.run({ untilNs: 41e6 });
    expect(scheduled.map(({ atNs }) => atNs)).toEqual([10e6, 24e6, 40e6]);
    for (const { cpuNs, idleNs, haltedNs } of scheduled) expect(cpuNs + idleNs + haltedNs).toBe(10e6);
    // Signs are reported in domain time, and none that was undone.
    expect(scheduled.map(({ progress }) => Math.floor((progress[0]?.atNs ?? 0) / 1e6))).toEqual([9, 23, 39]);
  });
});

describe('signals', () => {
  it('report cause, privilege and time of each exception', async () => {
    const { hypervisor, machine } = assembled((program) => program.nop().ecall());
    const signals = observed(machine, 'signal');
    await hypervisor.run({ untilNs: 20 });
    expect(signals).toEqual([{ atNs: 20, cause: 'environment-call-from-machine', privilege: 'machine' }]);
  });

  it('can be raised, each of those that the VM names', async () => {
    for (const cause of assembled(spins).machine.signals) {
      const { hypervisor, machine } = assembled(spins);
      const signals = observed(machine, 'signal');
      await hypervisor.run({ untilNs: 100 });
      const pc = await machine.readRegister('pc');
      await machine.raise(cause);
      expect(signals).toEqual([{ atNs: 110, cause, privilege: 'machine' }]);
      expect(await machine.readRegister('mepc')).toBe(pc);
      expect(machine.instructions).toBe(10);
    }
  });
});

describe('output', () => {
  it('is reported with its position in committed output, its epoch and its times', async () => {
    const { hypervisor, machine } = assembled(echoes, {
      input: [
        { at: '100us', data: text.encode('ab') },
        { at: '15ms', data: text.encode('cd') },
      ],
    });
    const output = observed(machine, 'output');
    await hypervisor.run({ untilNs: 12e6 });
    const { context, log } = await machine.checkpoint(PLAN);
    await hypervisor.run({ untilNs: 20e6 });
    await machine.suspend();
    const { outputStruckBytes } = await machine.rollback({ context, logs: [log] }, PLAN);
    await machine.resume();
    await hypervisor.run({ untilNs: 28e6 });
    expect(outputStruckBytes).toBe(2);
    expect(output).toEqual([
      { atNs: 10e6, device: 'uart', data: text.encode('ab'), position: 0, guestNs: 10e6, epoch: 0 },
      { atNs: 20e6, device: 'uart', data: text.encode('cd'), position: 2, guestNs: 20e6, epoch: 1 },
      { atNs: 28e6, device: 'uart', data: text.encode('cd'), position: 2, guestNs: 20e6, epoch: 2 },
    ]);
    expect(machine.committedOutput).toEqual(text.encode('abcd'));
    expect(machine.wireOutput).toEqual(text.encode('abcdcd'));
  });
});

describe('an observer that rolls the VM back while it is called', () => {
  const lasts: readonly (readonly [keyof Facts, Program])[] = [
    ['signal', (program) => program.word(0)],
    ['exited', (program) => program.store('sw', 't3', 't2', 0)],
    ['output', (program) => program.store('sb', 't3', 't0', 0).wfi()],
    ['pagefault', (program) => program.store('sw', 't3', 't1', 0).wfi()],
  ];

  it.each(lasts)('of a fact (%s) leaves the guest in the state of the checkpoint', async (fact, last) => {
    const { hypervisor, machine } = assembled((program) => {
      program.li('t0', 0x1000_0000).li('t1', NOTES).li('t2', 0x0010_0000).li('t3', 0x5555);
      last(program);
    });
    await hypervisor.run({ untilNs: 80 });
    const { context, log } = await machine.checkpoint(PLAN);
    const before = outcomeOf(machine);
    let calls = 0;
    machine.observe(fact, () => {
      calls++;
      void machine.suspend();
      void machine.rollback({ context, logs: [log] }, PLAN);
    });
    machine.clock.after(1000, () => undefined);
    await hypervisor.run({ untilNs: 1000 });
    expect(calls).toBe(1);
    expect(outcomeOf(machine)).toEqual(before);
  });
});
