import { DETECTIONS, P_VMSIGNAL, type Facts } from '@rmk/core';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { pinVmsignal } from '../src/index.js';

async function start(options?: Parameters<typeof pinVmsignal>[0]) {
  const rig = await startRig({ guest: 'tasks', plugins: [pinVmsignal(options)], record: ['EVT_VMSIGNAL'] });
  const facts: Facts['signal'][] = [];
  rig.machine.observe('signal', (fact) => void facts.push(fact));
  return { rig, facts, pin: rig.domain.get(P_VMSIGNAL) };
}

describe('P_VMSIGNAL', () => {
  it('publishes every signal of the guest, in order', async () => {
    const { rig, facts } = await start();
    await rig.advance('50ms');
    expect(facts.length).toBeGreaterThan(10);
    expect(rig.events('EVT_VMSIGNAL')).toEqual(facts);
  });

  it('finds no crash in the ordinary life of a kernel and its tasks', async () => {
    const { rig, facts } = await start();
    await rig.advance('50ms');
    const causes = new Set(facts.map(({ cause, privilege }) => `${cause} in ${privilege} mode`));
    expect(causes).toEqual(
      new Set(['environment-call-from-user in user mode', 'illegal-instruction in user mode']),
    );
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('raises what is asked for, and detects the crash that this is', async () => {
    const { rig, pin } = await start();
    await rig.advance('5ms');
    expect(pin.signals).toEqual(rig.machine.signals);
    await rig.machine.writeRegister('privilege', 3n);
    await pin.raise('load-access-fault');
    const [detected, ...others] = rig.events('EVT_ERRORDETECTED');
    expect(others).toEqual([]);
    // The signal comes first, then what it means.
    expect((detected?.sequence ?? 0) - (rig.events('EVT_VMSIGNAL').at(-1)?.sequence ?? 0)).toBe(1);
    expect(detected).toMatchObject({
      kind: 'crash',
      cause: 'load-access-fault in machine mode',
      atNs: rig.nowNs,
      source: '@rmk/pin-vmsignal',
    });
    // A crash is seen in the instruction that causes it, which says nothing about when the error occurred.
    expect(detected).not.toHaveProperty('suspectSinceNs');
  });

  it('refuses to raise what the board does not know', async () => {
    const { pin } = await start();
    await expect(pin.raise('SIGTERM')).rejects.toMatchObject({ code: 'RMK_ERR_UNKNOWN' });
  });

  it('detects a guest that switches itself off with a failure', async () => {
    const { rig } = await start();
    await rig.advance('5ms');
    await rig.machine.writeRegister('privilege', 3n);
    await rig.machine.writeRegister('a0', 7n);
    await rig.machine.writeRegister('pc', rig.symbol('exit'));
    expect(await rig.runToEnd()).toBe(7);
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([
      { kind: 'crash', cause: 'exit-failure in machine mode' },
    ]);
  });

  it('goes by the table that it was given', async () => {
    const { rig, facts } = await start({ ordinary: [{ cause: 'illegal-instruction', privilege: 'user' }] });
    await rig.advance('50ms');
    const calls = facts.filter(({ cause }) => cause === 'environment-call-from-user');
    expect(calls.length).toBeGreaterThan(0);
    expect(rig.events('EVT_ERRORDETECTED').map(({ atNs }) => atNs)).toEqual(calls.map(({ atNs }) => atNs));
  });

  it.each([
    [undefined, { boundNs: 50e6, quantile: 0.95 }],
    [
      { bound: '12.5ms', quantile: 0.99 },
      { boundNs: 12.5e6, quantile: 0.99 },
    ],
    [false, { boundNs: 0 }],
  ] as const)('declares the latency of its crashes: %j is %j', async (latencyBound, expected) => {
    const { rig } = await start(latencyBound === undefined ? {} : { latencyBound });
    expect(rig.domain.get(DETECTIONS).all).toEqual([
      { kind: 'crash', plugin: '@rmk/pin-vmsignal', ...expected },
    ]);
  });

  it.each([
    { bound: '0ms', quantile: 0.9 },
    { bound: '1ms', quantile: 1 },
    { bound: '1ms', quantile: 0 },
    '50ms',
    true,
  ])('refuses %j for it', async (latencyBound) => {
    await expect(
      start({ latencyBound } as unknown as Parameters<typeof pinVmsignal>[0]),
    ).rejects.toMatchObject({
      code: 'RMK_ERR_OPTIONS',
    });
  });

  it('hints at another table where the same crash of user mode comes again and again', async () => {
    const { rig, pin } = await start();
    await rig.advance('5ms');
    const raise = async (cause: string, privilege: bigint, times: number): Promise<void> => {
      for (let time = 0; time < times; time++) {
        await rig.machine.writeRegister('privilege', privilege);
        await pin.raise(cause);
      }
    };
    await raise('load-access-fault', 3n, 9); // The kernel's own crashes say nothing of its processes.
    await raise('load-access-fault', 0n, 4);
    await raise('store-access-fault', 0n, 4);
    expect(rig.events('EVT_WARNING')).toEqual([]);
    await raise('load-access-fault', 0n, 5);
    expect(rig.events('EVT_WARNING')).toMatchObject([
      {
        code: 'RMK_WARN_CRASHTABLE',
        message:
          "load-access-fault in user mode was a crash 5 times. If the guest's kernel survives the faults of its processes, " +
          "set `ordinary: 'linux'` of @rmk/pin-vmsignal",
      },
    ]);
  });

  it('takes nothing that a process does for a crash of Linux', async () => {
    const { rig, pin } = await start({ ordinary: 'linux' });
    await rig.advance('5ms');
    for (let time = 0; time < 9; time++) {
      await rig.machine.writeRegister('privilege', 0n);
      await pin.raise('load-access-fault');
    }
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    expect(rig.events('EVT_WARNING')).toEqual([]);
  });
});
