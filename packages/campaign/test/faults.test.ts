import { pinVcpu } from '@rmk/pin-vcpu';
import { startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { faults, flipBit } from '../src/index.js';

const tasks = { guest: 'tasks' } as const;
/** Runs in machine mode all the time. */
const server = { guest: 'server' } as const;

async function started(guest: typeof tasks | typeof server): Promise<Rig> {
  const rig = await startRig({ ...guest, plugins: [pinVcpu()] });
  await rig.advance('50ms');
  return rig;
}

/** Signals of the guest in the time after the fault, and the state that it is left in. */
async function seenAfter(rig: Rig): Promise<{ signals: ReadonlySet<string>; state: string }> {
  const signals = new Set<string>();
  let last = 'none';
  const signal = rig.machine.observe('signal', ({ cause }) => void signals.add(cause));
  const scheduled = rig.machine.observe('scheduled', ({ state }) => void (last = state));
  await rig.advance('30ms');
  for (const observer of [signal, scheduled]) observer[Symbol.dispose]();
  return { signals, state: last };
}

describe('a fault', () => {
  it('crash: the guest fetches an instruction from where there is no memory', async () => {
    const rig = await started(tasks);
    await faults.crash(rig);
    expect((await seenAfter(rig)).signals).toContain('instruction-access-fault');
  });

  it('hang: the guest stays at one instruction in machine mode, with interrupts off', async () => {
    const rig = await started(tasks);
    await faults.hang(rig);
    expect(await seenAfter(rig)).toEqual({ signals: new Set(), state: 'ran' });
    expect(await rig.machine.readRegister('privilege')).toBe(3n);
    expect(await rig.machine.readRegister('mstatus')).toSatisfy((mstatus: bigint) => (mstatus & 8n) === 0n);
  });

  it('taskLoop: a task keeps the processor, and the kernel never runs', async () => {
    const rig = await started(tasks);
    await faults.taskLoop(rig);
    expect(await seenAfter(rig)).toEqual({ signals: new Set(), state: 'ran' });
    expect(await faults.isInUserMode(rig)).toBe(true);
  });

  it('halt: the guest waits for an interrupt that cannot come', async () => {
    const rig = await started(tasks);
    await faults.halt(rig);
    const executed = rig.machine.instructions;
    await rig.advance('30ms');
    expect(rig.machine.instructions).toBe(executed + 1);
  });

  it('failureExit: the guest switches itself off with exit code 7', async () => {
    const rig = await started(server);
    await faults.failureExit(rig);
    await rig.advance('1ms');
    expect(rig.machine.exitCode).toBe(7);
  });

  it('holdProcessor: a task keeps the processor for exactly that time, then continues where it was', async () => {
    const rig = await started(tasks);
    await faults.untilUserMode(rig);
    const reached = async (): Promise<readonly bigint[]> =>
      Promise.all(['pc', 'mie', 'privilege'].map((name) => rig.machine.readRegister(name)));
    const [before, beforeNs] = [await reached(), rig.nowNs];
    await faults.holdProcessor(rig, 30e6);
    expect(rig.nowNs - beforeNs).toBe(30e6);
    expect(await reached()).toEqual(before);
  });

  it('flipBit: one bit of a register changes, and a second flip restores it', async () => {
    const rig = await started(tasks);
    const before = await rig.machine.readRegister('x10');
    await flipBit(rig, { register: 'x10', bit: 31 });
    expect(await rig.machine.readRegister('x10')).toBe(before ^ 0x8000_0000n);
    await flipBit(rig, { register: 'x10', bit: 31 });
    expect(await rig.machine.readRegister('x10')).toBe(before);
  });
});
