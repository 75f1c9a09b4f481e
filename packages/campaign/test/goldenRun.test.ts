import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { describe, expect, it } from 'vitest';
import { assembledElf, exits } from '../../hypervisor-embedded/test/guestFixtures.js';
import { END, goldenRun, guestStateOf, stateDifferences, type GuestState } from '../src/index.js';

/** Ends after 20 ms. */
const guest = { name: 'exits', elf: assembledElf(exits(3, 2_000_000)) };

describe('a golden run', () => {
  it('gives the state at each guest time, however often and in whatever order they are named', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const states = await goldenRun(hypervisor, guest, [END, 15e6, 10e6, 15e6]);
    expect([...states.keys()]).toEqual([10e6, 15e6, END]);
    expect(states.get(10e6)).toMatchObject({ exitCode: undefined, guestNs: 10e6 });
    expect(states.get(END)).toMatchObject({ exitCode: 3, output: '' });
    expect(states.get(END)?.instructions).toBeGreaterThan(2_000_000);
    expect(hypervisor.machines).toEqual([]);
  });

  it('is not changed by the times at which it is looked at', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine(guest);
    await hypervisor.run({ untilNs: 15e6 });
    const alone = guestStateOf(machine);
    await hypervisor.close();
    const states = await goldenRun(new EmbeddedHypervisor(), guest, [7e6, 15e6]);
    expect(states.get(15e6)).toEqual(alone);
  });
});

describe('differences of states', () => {
  const golden: GuestState = {
    exitCode: 0,
    guestNs: 10,
    instructions: 1,
    output: 'ok',
    digest: { memory: 'aa', context: 'bb' },
  };

  it.each<[Partial<GuestState>, readonly string[]]>([
    [{}, []],
    [{ exitCode: undefined }, ['exit code none instead of 0']],
    [{ exitCode: 3 }, ['exit code 3 instead of 0']],
    [{ guestNs: 20 }, ['guest time 20 ns instead of 10 ns']],
    [{ instructions: 2 }, ['2 instructions instead of 1']],
    [{ output: 'no' }, ['different output']],
    [{ digest: { memory: 'cc', context: 'bb' } }, ['different memory']],
    [{ digest: { memory: 'aa', context: 'cc' } }, ['different context']],
    [{ guestNs: 20, output: 'no' }, ['guest time 20 ns instead of 10 ns', 'different output']],
  ])('%o: %o', (change, expected) => {
    expect(stateDifferences({ ...golden, ...change }, golden)).toEqual(expected);
  });
});
