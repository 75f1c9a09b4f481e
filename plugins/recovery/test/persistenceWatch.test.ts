import type { RmkEvent } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { persistenceWatch } from '../src/index.js';
import { ProtectedVm } from './protectedVm.js';

type Persistent = RmkEvent<'EVT_PERSISTENTFAULT'>;

async function rigWith(
  options: Parameters<typeof persistenceWatch>[0] = {},
): Promise<{ readonly rig: Rig; readonly found: Persistent[]; readonly detected: number[] }> {
  const rig = await startRig({
    guest: 'tasks',
    plugins: [...microcheckpoint({ interval: '10ms' }), persistenceWatch(options)],
  });
  const found: Persistent[] = [];
  const detected: number[] = [];
  rig.domain.bus.on('EVT_PERSISTENTFAULT', (event) => void found.push(event));
  rig.domain.bus.on('EVT_ERRORDETECTED', ({ atNs }) => void detected.push(atNs));
  return { rig, found, detected };
}

describe('the persistence watch', () => {
  it('names a stuck bit of a core with its evidence; on another core the guest is sound', async () => {
    const { rig, found, detected } = await rigWith();
    await rig.advance('101ms');
    rig.machine.hardware.stick({ register: 'sp', bit: 28, value: 1 });
    rig.domain.bus.on('EVT_PERSISTENTFAULT', () => rig.machine.hardware.moveTo(1));
    await rig.advance('200ms');
    expect(found).toHaveLength(1);
    const [{ failures, kind } = { failures: [], kind: '' }] = found;
    expect(failures).toHaveLength(2);
    expect(failures[0]).toMatchObject({ recoveredBy: 'target' });
    expect(failures[1]).not.toHaveProperty('recoveredBy');
    expect(kind).toMatch(/crash|hang/);
    // It was the second failure, and it is the last.
    expect(detected).toHaveLength(2);
    await rig.stop();
  });

  it('says nothing of a transient fault, which the first rollback undoes', async () => {
    const { rig, found, detected } = await rigWith();
    await rig.advance('101ms');
    // The same bit as above, which recovers by itself.
    const bit = rig.machine.hardware.stick({ register: 'sp', bit: 28, value: 1 });
    rig.domain.bus.on('EVT_ERRORDETECTED', () => bit[Symbol.dispose]());
    await rig.advance('200ms');
    expect(detected).toHaveLength(1);
    expect(found).toEqual([]);
    await rig.stop();
  });

  it.each([
    ['two within the window', { window: '150ms' }, 1],
    ['two that are further apart', { window: '50ms' }, 0],
    ['fewer than it was asked for', { failures: 3, window: '1s' }, 0],
  ] as const)('counts failures of one kind: %s', async (_, options, count) => {
    const { rig, found, detected } = await rigWith(options);
    for (let failure = 0; failure < 2; failure++) {
      await rig.advance('100ms');
      await rig.machine.raise('illegal-instruction');
    }
    await rig.advance('20ms');
    expect(detected).toHaveLength(2);
    expect(found).toHaveLength(count);
    await rig.stop();
  });

  it('still sees failures of a kind that was once reported beside another, which alone was recovered from', async () => {
    const vm = await ProtectedVm.start({ plugins: [persistenceWatch()] });
    await vm.runTo(37);
    vm.report({ kind: 'hang' });
    await vm.crash();
    expect(vm.rungs).toHaveLength(1);
    const { kind } = vm.records[0]?.trigger ?? { kind: '' };
    const other = kind === 'hang' ? 'crash' : 'hang';
    const found: Persistent[] = [];
    vm.rig.domain.bus.on('EVT_PERSISTENTFAULT', (event) => void found.push(event));
    for (const guestMs of [77, 117]) {
      await vm.runTo(guestMs);
      await vm.crash({ kind: other });
    }
    expect(found).toMatchObject([{ kind: other, failures: [{ recoveredBy: 'target' }, {}] }]);
    expect(found[0]?.failures).toHaveLength(2);
  });

  it('still sees failures after a recovery that failed and left the VM running', async () => {
    const vm = await ProtectedVm.start({ plugins: [persistenceWatch()] });
    await vm.runTo(37);
    for (let time = 0; time < 4; time++) vm.rig.pins.vcpu.failNext('suspend', new Error('stuck'));
    await vm.crash();
    expect(vm.failures).toMatchObject([[expect.stringMatching('suspended') as string, false]]);
    const found: Persistent[] = [];
    vm.rig.domain.bus.on('EVT_PERSISTENTFAULT', (event) => void found.push(event));
    for (const guestMs of [77, 117]) {
      await vm.runTo(guestMs);
      await vm.crash();
    }
    expect(found).toHaveLength(1);
  });

  it('keeps what it has seen over its own restart, and reports nothing again', async () => {
    const vm = await ProtectedVm.start({ plugins: [persistenceWatch()] });
    const found: Persistent[] = [];
    vm.rig.domain.bus.on('EVT_PERSISTENTFAULT', (event) => void found.push(event));
    const counts: number[] = [];
    for (const guestMs of [37, 77, 117]) {
      await vm.runTo(guestMs);
      await vm.crash();
      counts.push(found.length);
      await vm.rig.domain.restart('@rmk/persistence-watch');
    }
    expect(counts).toEqual([0, 1, 1]);
  });
});
