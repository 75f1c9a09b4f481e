import { describe, expect, it } from 'vitest';
import { collectGarbage } from './collectGarbage.js';
import { EmbeddedHypervisor, type RunOptions } from '../src/embeddedHypervisor.js';
import type { EmbeddedMachine } from '../src/embeddedMachine.js';
import { assembled, assembledElf, exits, outcomeOf, sleeps, spins, stores } from './guestFixtures.js';

const SMALL = { memoryBytes: 32 * 4096 };

describe('several VMs', () => {
  it('take turns: none is ahead of another by more than a slice', async () => {
    const hypervisor = new EmbeddedHypervisor({ slice: '100us' });
    const machines = [spins, stores, sleeps(333)].map((build, index) =>
      hypervisor.createMachine({ name: `vm ${index}`, elf: assembledElf(build), ...SMALL }),
    );
    let widestNs = 0;
    for (const machine of machines) {
      machine.observe('scheduled', () => {
        const times = machines.map(({ clock }) => clock.now());
        widestNs = Math.max(widestNs, Math.max(...times) - Math.min(...times));
      });
    }
    await hypervisor.run({ untilNs: 5e6 });
    expect(widestNs).toBe(100_000);
    expect(machines.map(({ clock }) => clock.now())).toEqual([5e6, 5e6, 5e6]);
  });

  it('run until each of them is done', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const codes = [0, 4, 5];
    const machines = codes.map((code) =>
      hypervisor.createMachine({
        name: `exit ${code}`,
        elf: assembledElf(exits(code, code * 100_000)),
        ...SMALL,
      }),
    );
    await hypervisor.run();
    expect(machines.map(({ exitCode }) => exitCode)).toEqual(codes);
  });

  it('may come and go between runs', async () => {
    const { hypervisor, machine } = assembled(spins);
    await hypervisor.run({ untilNs: 1000 });
    const late = hypervisor.createMachine({ name: 'late', elf: assembledElf(spins), ...SMALL });
    await machine.close();
    await hypervisor.run({ untilNs: 2000 });
    expect([machine.instructions, late.instructions]).toEqual([100, 200]);
    expect(hypervisor.machines).toEqual([late]);
  });

  it('are closed, each or all, when they or their hypervisor are disposed of', async () => {
    const { hypervisor, machine } = assembled(spins);
    const other = hypervisor.createMachine({ name: 'other', elf: assembledElf(spins), ...SMALL });
    {
      await using disposed = machine;
      expect(disposed.isClosed).toBe(false);
    }
    expect([machine.isClosed, other.isClosed]).toEqual([true, false]);
    {
      await using disposed = hypervisor;
      expect(disposed.machines).toEqual([other]);
    }
    expect([machine.isClosed, other.isClosed]).toEqual([true, true]);
    expect(hypervisor.machines).toEqual([]);
  });

  it('have names of their own; that of a closed one is free again', async () => {
    const { hypervisor, machine } = assembled(spins);
    const again = { name: machine.name, elf: assembledElf(spins), ...SMALL };
    expect(() => hypervisor.createMachine(again)).toThrow(/RMK_ERR_INPUT: there is a VM "vm" already/);
    await machine.close();
    expect(hypervisor.createMachine(again).name).toBe('vm');
  });

  it('give their memory back when they are closed', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const memoryBytes = 16 * 1024 * 1024;
    const closed: WeakRef<EmbeddedMachine>[] = [];
    const runAndClose = async () => {
      const machine = hypervisor.createMachine({ name: 'vm', elf: assembledElf(stores), memoryBytes });
      closed.push(new WeakRef(machine));
      await machine.checkpoint({ preSave: 'updated' });
      // Long enough for its code to be translated.
      await hypervisor.run({ untilNs: 1e6 });
      await machine.close();
    };
    await collectGarbage();
    const before = process.memoryUsage().external;
    for (let i = 0; i < 10; i++) await runAndClose();
    // The hypervisor forgets a closed VM when it makes another.
    hypervisor.createMachine({ name: 'other', elf: assembledElf(spins), ...SMALL });
    await collectGarbage();
    expect(closed.filter((machine) => machine.deref() !== undefined)).toEqual([]);
    // Guest memory by itself, which could outlive its VM.
    expect(process.memoryUsage().external - before).toBeLessThan(memoryBytes);
  });
});

describe('a run', () => {
  it('ends at the instruction asked for, and goes on from there', async () => {
    const { hypervisor, machine } = assembled(spins);
    await hypervisor.run({ untilNs: 995 });
    expect(machine.instructions).toBe(100);
    await hypervisor.run({ untilNs: 995 });
    await hypervisor.run({ untilNs: -1 });
    expect(machine.instructions).toBe(100);
    await hypervisor.run({ untilNs: 123_456_780 });
    expect(machine.instructions).toBe(12_345_678);
  });

  it.each([
    [{ untilNs: NaN }, 'untilNs', 'expected a domain time in nanoseconds, such as 5e6'],
    [{ untilNs: '50ms' }, 'untilNs', 'expected a domain time in nanoseconds, such as 5e6'],
    [{ until: '50ms' }, '', 'Unrecognized key: "until"'],
    [{ signal: 5 }, 'signal', 'expected an AbortSignal'],
    [null, '', ''],
  ])('is refused with %o', async (options, path, message) => {
    const { hypervisor, machine } = assembled(spins);
    await expect(hypervisor.run(options as RunOptions)).rejects.toMatchObject({
      code: 'RMK_ERR_INPUT',
      problems: [{ path, message: expect.stringContaining(message) as string }],
    });
    expect(machine.instructions).toBe(0);
    await hypervisor.run({ untilNs: 1e6 });
    expect(machine.clock.now()).toBe(1e6);
  });

  it('is refused while another is on', async () => {
    const { hypervisor } = assembled(spins);
    const first = hypervisor.run({ untilNs: 30e6 });
    await expect(hypervisor.run()).rejects.toThrow('RMK_ERR_STATE');
    await first;
    await hypervisor.run({ untilNs: 31e6 });
  });

  it('can be tried again after it failed', async () => {
    const { hypervisor, machine } = assembled(spins);
    machine.clock.after(100, () => {
      throw new Error('a timer that no domain supervises');
    });
    await expect(hypervisor.run({ untilNs: 1000 })).rejects.toThrow('no domain supervises');
    expect(machine.instructions).toBe(10);
    await hypervisor.run({ untilNs: 1000 });
    expect(machine.instructions).toBe(100);
  });

  it('ends by a signal between two slices, also before the first', async () => {
    const { hypervisor, machine } = assembled(spins);
    const controller = new AbortController();
    machine.clock.after(25e6, () => controller.abort());
    await hypervisor.run({ signal: controller.signal });
    expect(machine.clock.now()).toBe(30e6);
    await hypervisor.run({ signal: controller.signal });
    expect(machine.clock.now()).toBe(30e6);
    await hypervisor.run({ untilNs: 40e6 });
    expect(machine.clock.now()).toBe(40e6);
  });

  it('ends by a signal where a VM is held by what never ends', async () => {
    const { hypervisor, machine } = assembled(spins);
    const never = new Promise<void>(() => undefined);
    machine.holdWhile(() => never);
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    await hypervisor.run({ signal: controller.signal });
    expect(machine.instructions).toBe(0);
  });

  it('at the pace of the wall clock comes to the same, later', async () => {
    const paced = assembled(stores, {}, { pace: 'wall-clock' });
    const free = assembled(stores);
    const startedAt = performance.now();
    await paced.hypervisor.run({ untilNs: 60e6 });
    expect(performance.now() - startedAt).toBeGreaterThan(40);
    await free.hypervisor.run({ untilNs: 60e6 });
    expect(outcomeOf(paced.machine)).toEqual(outcomeOf(free.machine));
  });

  it('has nothing to do on a hypervisor without VMs, or once that is closed', async () => {
    await new EmbeddedHypervisor().run();
    const { hypervisor, machine } = assembled(spins);
    await hypervisor.close();
    await hypervisor.run();
    await hypervisor.close();
    expect(machine.instructions).toBe(0);
  });

  it('lets a VM go that is closed in the middle of it', async () => {
    const { hypervisor, machine } = assembled(spins);
    machine.clock.after(1000, async () => machine.close());
    await hypervisor.run();
    expect(machine.instructions).toBe(100);
  });
});
