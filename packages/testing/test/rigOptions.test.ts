import { describe, expect, it } from 'vitest';
import { startFakeRig, startRig } from '../src/index.js';

describe('options that are not valid', () => {
  it.each([
    [{ guest: 'taks', plugins: [] }, 'guest: unknown guest (did you mean tasks?), given "taks"'],
    [{ guest: 'linux', plugins: [] }, 'guest: unknown guest (choose one of compressor, '],
    [{ guest: 'tasks' }, 'plugins: expected an array of plugins, given undefined'],
    [{ plugins: [] }, "guest: expected a guest of RMK, such as 'tasks', or the options of a VM as `machine`"],
    [
      { guest: 'tasks', plugins: [], machine: 'tasks' },
      'machine: expected the options of a VM, given "tasks"',
    ],
    [{ guest: 'tasks', plugins: [], faults: 'expcted' }, "faults: expected 'expected', or no such key"],
    [
      { guest: 'tasks', plugins: [], record: 'EVT_PAGEFAULT' },
      'record: expected an array of names of events',
    ],
    [{ guest: 'tasks', plugins: [], observe: [] }, 'observe: expected a function'],
    [
      { guest: 'tasks', plugins: [], supervision: { faultsWindow: '1s' } },
      'supervision.faultsWindow: unknown key: did you mean faultWindow?',
    ],
    [undefined, 'expected options'],
  ])('are refused by the rig that was called, before a VM is made: %o', async (given, reason) => {
    await expect(startRig(given as Parameters<typeof startRig>[0])).rejects.toThrow(
      `RMK_ERR_INPUT: startRig: invalid options: ${reason}`,
    );
  });

  it('are refused by a fake rig in its name', async () => {
    const given = { plugins: [], timeouts: { stop: 'soon' } } as unknown;
    await expect(startFakeRig(given as Parameters<typeof startFakeRig>[0])).rejects.toThrow(
      'RMK_ERR_INPUT: startFakeRig: invalid options: timeouts.stop: expected a duration above zero',
    );
  });
});
