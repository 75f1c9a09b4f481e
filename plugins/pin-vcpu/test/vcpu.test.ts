import { P_VCPU, type Suspension } from '@rmk/core';
import { goldenRun, startRig } from '@rmk/testing';
import { describe, expect, it, vi } from 'vitest';
import { pinVcpu } from '../src/index.js';

const tasks = { guest: 'tasks' } as const;

async function start() {
  const rig = await startRig({ ...tasks, plugins: [pinVcpu()] });
  return { rig, vcpu: rig.domain.get(P_VCPU) };
}

describe('P_VCPU', () => {
  it('suspends and resumes, and says so', async () => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    const suspension = await vcpu.suspend();
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(5e6);
    await vcpu.resume(suspension);
    await rig.advance('5ms');
    expect(rig.events('EVT_VCPUSUSPENDED')).toMatchObject([{ atNs: 5e6, source: '@rmk/pin-vcpu' }]);
    expect(rig.events('EVT_VCPURESUMED')).toMatchObject([{ atNs: 5e6, source: '@rmk/pin-vcpu' }]);
    expect(rig.guestState).toEqual(await goldenRun(tasks, 10e6));
  });

  it('keeps the VM suspended until the last of its suspensions is released, in any order', async () => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    const first = await vcpu.suspend();
    const second = await vcpu.suspend();
    await vcpu.resume(first);
    await vcpu.resume(first);
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(5e6);
    second[Symbol.dispose]();
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(10e6);
    expect(rig.events('EVT_VCPUSUSPENDED')).toHaveLength(1);
    expect(rig.events('EVT_VCPURESUMED')).toHaveLength(1);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['number', 42],
    ['another object', {}],
    ['another object', { [Symbol.dispose]() {} }],
  ])('refuses to resume with %s, and stays suspended', async (what, given) => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    await vcpu.suspend();
    await expect(vcpu.resume(given as Suspension)).rejects.toMatchObject({
      code: 'RMK_ERR_INPUT',
      message: `RMK_ERR_INPUT: P_VCPU.resume: expected a suspension that suspend() of this P_VCPU returned, given ${what}. Keep what suspend() returns, and pass that.`,
    });
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(5e6);
  });

  it('refuses a suspension of another VM, which stays suspended', async () => {
    const [one, other] = [await start(), await start()];
    const suspension = await other.vcpu.suspend();
    await expect(one.vcpu.resume(suspension)).rejects.toMatchObject({ code: 'RMK_ERR_INPUT' });
    await other.rig.advance('5ms');
    expect(other.rig.nowNs).toBe(0);
  });

  it('suspends again where a suspension is released while another is asked for', async () => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    const first = await vcpu.suspend();
    const [second] = await Promise.all([vcpu.suspend(), vcpu.resume(first)]);
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(5e6);
    await vcpu.resume(second);
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(10e6);
  });

  it('leaves nothing behind where the VM cannot be suspended', async () => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    const stuck = vi.spyOn(rig.machine, 'suspend').mockRejectedValue(new Error('stuck'));
    await expect(vcpu.suspend()).rejects.toThrow('stuck');
    stuck.mockRestore();
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(10e6);
    await vcpu.resume(await vcpu.suspend());
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(15e6);
  });

  it('reports that the VM cannot be resumed, to who awaits it and as a warning, and resumes it at the next try', async () => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    const stuck = vi.spyOn(rig.machine, 'resume').mockRejectedValue(new Error('stuck'));
    await expect(vcpu.resume(await vcpu.suspend())).rejects.toThrow('stuck');
    (await vcpu.suspend())[Symbol.dispose]();
    await rig.advance('0ms');
    expect(rig.events('EVT_WARNING').map(({ code, message }) => `${code} ${message}`)).toEqual(
      Array(2).fill(
        'RMK_WARN_VCPU the VM stays suspended, because it could not be resumed: stuck. Suspend and resume it again.',
      ),
    );
    stuck.mockRestore();
    await vcpu.resume(await vcpu.suspend());
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(10e6);
  });

  it('reads and writes the registers of the machine', async () => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    expect(vcpu.registers).toEqual(rig.machine.registers);
    for (const name of vcpu.registers) {
      expect(await vcpu.readRegister(name)).toBe(await rig.machine.readRegister(name));
    }
    await vcpu.writeRegister('x5', 0xdead_beefn);
    expect(await rig.machine.readRegister('x5')).toBe(0xdead_beefn);
    await expect(vcpu.readRegister('eax')).rejects.toMatchObject({ code: 'RMK_ERR_UNKNOWN' });
  });

  it('restarts the guest, and says so', async () => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    await vcpu.restart();
    expect(rig.guestState).toEqual(await goldenRun(tasks, 0));
    expect(rig.nowNs).toBe(5e6);
    expect(rig.events('EVT_VMRESTARTED')).toMatchObject([{ atNs: 5e6, source: '@rmk/pin-vcpu' }]);
  });

  it('reports that the guest switched itself off, and with what code', async () => {
    const { rig, vcpu } = await start();
    await rig.advance('5ms');
    await vcpu.writeRegister('privilege', 3n);
    await vcpu.writeRegister('a0', 9n);
    await vcpu.writeRegister('pc', rig.symbol('exit'));
    await rig.runToEnd();
    expect(rig.events('EVT_VMEXITED')).toMatchObject([{ atNs: rig.nowNs, code: 9, source: '@rmk/pin-vcpu' }]);
  });
});
