import type { Checkpointed, EpochPlan, RollbackTarget } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cases } from '../../../test/long.js';
import { EmbeddedHypervisor } from '../src/embeddedHypervisor.js';
import type { EmbeddedMachine } from '../src/embeddedMachine.js';
import type { HypervisorOptions, MachineOptions } from '../src/machineOptions.js';
import {
  assembledElf,
  compressor,
  CYCLE_NS,
  locks,
  outcomeOf,
  sleeps,
  stores,
  tasks,
  type Outcome,
} from './guestFixtures.js';

const NONE: EpochPlan = { preSave: 'none' };
const plans: fc.Arbitrary<EpochPlan> = fc.record({
  preSave: fc.constantFrom('none' as const, 'updated' as const),
  clusterPages: fc.constantFrom(1, 4),
});

/** All that there is to know of a VM: every register by name too, so that a difference says where it lies. */
type State = Outcome & { readonly registers: readonly string[]; readonly guestNs: number };

/** A VM that runs to exact moments, and goes back to them. */
class Run {
  readonly hypervisor: EmbeddedHypervisor;
  readonly machine: EmbeddedMachine;

  constructor(guest: MachineOptions, options: HypervisorOptions = {}) {
    this.hypervisor = new EmbeddedHypervisor(options);
    this.machine = this.hypervisor.createMachine(guest);
  }

  async for(cycles: number): Promise<void> {
    await this.hypervisor.run({ untilNs: this.machine.clock.now() + cycles * CYCLE_NS });
  }

  async toGuestTime(guestNs: number): Promise<void> {
    await this.hypervisor.run({ untilNs: this.machine.clock.now() + guestNs - this.machine.guestNs });
  }

  async state(): Promise<State> {
    const { machine } = this;
    const registers = [];
    for (const name of machine.registers) registers.push(`${name}: ${await machine.readRegister(name)}`);
    return { ...outcomeOf(machine), registers, guestNs: machine.guestNs };
  }

  async back(to: RollbackTarget, plan: EpochPlan): Promise<Checkpointed> {
    await this.machine.suspend();
    const opened = await this.machine.rollback(to, plan);
    for (const log of to.logs) log.release();
    await this.machine.resume();
    return opened;
  }

  async isUserMode(): Promise<boolean> {
    return (await this.machine.readRegister('privilege')) === 0n;
  }

  /**
   * Whether the guest waits for an interrupt: then time passes without an instruction, and not only for an exception.
   */
  async isIdle(): Promise<boolean> {
    const { instructions } = this.machine;
    await this.for(5);
    return this.machine.instructions === instructions;
  }

  /** Goes on until it is so. */
  async until(isSo: () => Promise<boolean>, stepCycles: number, limitCycles: number): Promise<void> {
    const limitNs = this.machine.guestNs + limitCycles * CYCLE_NS;
    while (!(await isSo())) {
      await this.for(stepCycles);
      if (this.machine.guestNs > limitNs) throw new Error('the guest never got there');
    }
  }

  /**
   * A checkpoint here, a stretch, a rollback and the stretch again, and back over both to `base`: every state must be
   * the one that there was before.
   */
  async checkFrom(base: Checkpointed, stretchCycles: number, plan: EpochPlan): Promise<Checkpointed> {
    const here = await this.state();
    const { context, log } = await this.machine.checkpoint(plan);
    await this.for(stretchCycles);
    const there = await this.state();
    const again = await this.back({ context, logs: [log] }, plan);
    expect(await this.state()).toEqual(here);
    await this.for(stretchCycles);
    expect(await this.state()).toEqual(there);
    return this.back({ context: base.context, logs: [again.log, base.log] }, plan);
  }
}

/** Random moments of a run after `base`, each of them checked. */
async function checkMoments(run: Run, withinCycles: number, numRuns: number): Promise<void> {
  let base = await run.machine.checkpoint(NONE);
  const atBase = await run.state();
  const cycles = fc.integer({ min: 0, max: withinCycles });
  await fc.assert(
    fc.asyncProperty(cycles, cycles, plans, async (offset, stretch, plan) => {
      await run.for(offset);
      base = await run.checkFrom(base, stretch, plan);
      expect(await run.state()).toEqual(atBase);
    }),
    { numRuns },
  );
}

async function tasksAt(guestNs: number): Promise<Run> {
  const run = new Run(tasks());
  await run.toGuestTime(guestNs);
  return run;
}

describe('a guest that is rolled back finds everything as it was, and does the same again', () => {
  it.each([0, 2e6, 17e6])('tasks: at random moments after %d ns', async (guestNs) => {
    await checkMoments(await tasksAt(guestNs), 300_000, 60);
  });

  it('tasks: at random moments about the end of a round, where it idles', async () => {
    const run = await tasksAt(1e6);
    await run.until(() => run.isIdle(), 20_000, 60_000_000);
    await checkMoments(run, 500_000, 60);
  });

  it('tasks: while it waits for an interrupt, up to the very cycle of the interrupt', async () => {
    const run = await tasksAt(1e6);
    await run.until(() => run.isIdle(), 20_000, 60_000_000);
    let base = await run.machine.checkpoint(NONE);
    let waited = 0;
    while (await run.isIdle()) {
      base = await run.back({ context: base.context, logs: [base.log] }, NONE);
      await run.for((waited += 1009));
      base = await run.checkFrom(base, 5000, NONE);
      await run.for(waited);
    }
    expect(waited).toBeGreaterThan(2 * 1009);
    // The last step went past the wake-up: each cycle around it.
    base = await run.back({ context: base.context, logs: [base.log] }, NONE);
    await run.for(waited - 1009);
    const { instructions } = run.machine;
    let toWake = 0;
    while (run.machine.instructions === instructions) {
      await run.for(1);
      toWake++;
    }
    base = await run.back({ context: base.context, logs: [base.log] }, NONE);
    for (let cycle = -3; cycle <= 3; cycle++) {
      await run.for(waited - 1009 + toWake + cycle);
      base = await run.checkFrom(base, 300, NONE);
    }
  });

  it('tasks: in user mode, and in each part of the way into the kernel and out again', async () => {
    const run = await tasksAt(5e6);
    await run.until(() => run.isUserMode(), 1, 100_000);
    let base = await run.machine.checkpoint(NONE);
    base = await run.checkFrom(base, 100, NONE);
    let inUserMode = 0;
    while (await run.isUserMode()) {
      await run.for(1);
      inUserMode++;
    }
    let inKernel = 0;
    while (!(await run.isUserMode())) {
      await run.for(1);
      inKernel++;
    }
    expect(inKernel).toBeGreaterThan(30);
    base = await run.back({ context: base.context, logs: [base.log] }, NONE);
    for (let cycle = -3; cycle <= inKernel + 3; cycle += inKernel > 400 ? 11 : 3) {
      await run.for(Math.max(0, inUserMode + cycle));
      base = await run.checkFrom(base, 2 * inKernel, NONE);
    }
  });

  it('compressor: at random moments', async () => {
    const run = new Run(compressor(20_000));
    await run.for(1_000_000);
    await checkMoments(run, 300_000, 25);
  });

  it('between LR and SC, and after every other instruction of a lock', async () => {
    const run = new Run({ name: 'locks', elf: assembledElf(locks), memoryBytes: 64 * 1024 });
    await run.for(100);
    let base = await run.machine.checkpoint(NONE);
    for (let offset = 0; offset < 30; offset++) {
      await run.for(offset);
      base = await run.checkFrom(base, 100, NONE);
    }
    await run.for(600);
    // No addition had to be repeated: no reservation was lost, by a checkpoint or a rollback.
    expect(await run.machine.readRegister('s1')).toBe(0n);
    expect(await run.machine.readRegister('s0')).toBeGreaterThan(100n);
  });
});

const NEIGHBOURS = [stores, sleeps(777), locks].map((build, index) => ({
  name: `neighbour ${index}`,
  elf: assembledElf(build),
  memoryBytes: 32 * 4096,
}));

/** What else goes on around a guest. */
interface PluginHost {
  readonly sliceCycles: number;
  readonly neighbours: number;
  /** Of domain time; 0 for none. */
  readonly intervalCycles: number;
  readonly plan: EpochPlan;
  /** Rolls back one checkpoint in so many; 0 for never. */
  readonly rollbackEach: number;
  /** Checkpoints from outside, between two runs. */
  readonly oddMomentsNs: readonly number[];
}

const pluginHost: fc.Arbitrary<PluginHost> = fc.record({
  sliceCycles: fc.integer({ min: 5000, max: 2_000_000 }),
  neighbours: fc.nat(NEIGHBOURS.length),
  intervalCycles: fc.oneof(fc.constant(0), fc.integer({ min: 30_000, max: 700_000 })),
  plan: plans,
  rollbackEach: fc.constantFrom(0, 3, 7),
  oddMomentsNs: fc.array(fc.integer({ min: 0, max: 20e6 }), { maxLength: 4 }),
});

/** Runs a guest to its end, or to `guestNs`, in these pluginHost. */
async function runIn(
  { sliceCycles, neighbours, intervalCycles, plan, rollbackEach, oddMomentsNs }: PluginHost,
  guest: MachineOptions,
  guestNs: number,
): Promise<Run> {
  const run = new Run(guest, { slice: `${sliceCycles * CYCLE_NS}ns` });
  const { machine, hypervisor } = run;
  for (const neighbour of NEIGHBOURS.slice(0, neighbours)) {
    const { clock } = hypervisor.createMachine(neighbour);
    clock.every(1e6, () => undefined);
  }
  let ring: readonly Checkpointed[] = [];
  let taken = 0;
  const take = async (): Promise<void> => {
    const [newest, ...older] = ring;
    if (rollbackEach > 0 && newest !== undefined && ++taken % rollbackEach === 0) {
      ring = [await run.back({ context: newest.context, logs: [newest.log] }, plan), ...older];
    } else {
      ring = [await machine.checkpoint(plan), ...ring];
      for (const { log } of ring.slice(3)) log.release();
      ring = ring.slice(0, 3);
    }
  };
  if (intervalCycles > 0) {
    let pending: Promise<void> | undefined;
    machine.holdWhile(() => pending);
    machine.clock.every(intervalCycles * CYCLE_NS, () => {
      pending = take().finally(() => (pending = undefined));
    });
  }
  for (const atNs of oddMomentsNs.toSorted((one, other) => one - other)) {
    await hypervisor.run({ untilNs: atNs });
    await take();
  }
  // In short runs, since the neighbours would run on forever.
  while (machine.guestNs < guestNs && machine.exitCode === undefined) {
    await run.toGuestTime(Math.min(guestNs, machine.guestNs + 5e6));
  }
  return run;
}

describe('a guest ends with the outcome of an undisturbed run', () => {
  it('compressor: at its end, whatever the slices, neighbours, checkpoints and rollbacks', async () => {
    const golden = new Run(compressor(3000));
    await golden.hypervisor.run();
    const undisturbed = await golden.state();
    expect(undisturbed.exitCode).toBe(0);
    expect(undisturbed.output).toContain('compressor: ok ');
    await fc.assert(
      fc.asyncProperty(pluginHost, async (around) => {
        // A whole run takes a while: fewer neighbours, turns and checkpoints than below.
        const calmer = {
          ...around,
          neighbours: Math.min(around.neighbours, 1),
          sliceCycles: around.sliceCycles + 100_000,
          intervalCycles: around.intervalCycles * 4,
        };
        const run = await runIn(calmer, compressor(3000), Infinity);
        expect(await run.state()).toEqual(undisturbed);
      }),
      { numRuns: cases(1), endOnFailure: true },
    );
  });

  it.each([
    ['compressor', compressor(3000)],
    ['tasks', tasks()],
  ])('%s: and at any moment before', async (_, guest) => {
    await fc.assert(
      fc.asyncProperty(pluginHost, fc.integer({ min: 1, max: 2_000_000 }), async (around, cycles) => {
        const golden = new Run(guest);
        await golden.for(cycles);
        const undisturbed = await golden.state();
        const oddMomentsNs = around.oddMomentsNs.filter((atNs) => atNs < undisturbed.guestNs);
        const run = await runIn({ ...around, oddMomentsNs }, guest, undisturbed.guestNs);
        expect(await run.state()).toEqual(undisturbed);
      }),
      { numRuns: 20 },
    );
  });

  it('tasks: after a restart at any moment', async () => {
    const golden = await tasksAt(10e6);
    const undisturbed = await golden.state();
    const run = await tasksAt(0);
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.boolean(), async (cycles, checkpointed) => {
        await run.for(cycles);
        if (checkpointed) await run.machine.checkpoint(NONE);
        await run.machine.restart();
        await run.toGuestTime(10e6);
        expect(await run.state()).toEqual(undisturbed);
      }),
      { numRuns: 20 },
    );
  });

  it('compressor: after a restart when it was done', async () => {
    const run = new Run(compressor(3000));
    await run.hypervisor.run();
    const undisturbed = await run.state();
    await run.machine.restart();
    await run.hypervisor.run();
    expect(await run.state()).toEqual(undisturbed);
  });
});
