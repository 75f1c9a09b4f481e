import { checkpoint } from '@rmk/checkpoint';
import {
  CHECKPOINTS,
  CHECKPOINTING,
  P_PTABLE,
  P_VCPU,
  P_VMIO,
  P_VMSIGNAL,
  RmkError,
  type Facts,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { hangDetector } from '@rmk/hang-detector';
import { pinVcpu } from '@rmk/pin-vcpu';
import { recovery } from '@rmk/recovery';
import { describe, expect, it } from 'vitest';
import { startFakeRig, type ScriptedAct } from '../src/index.js';

const HEARTBEAT: ScriptedAct = { at: '1ms', every: '1ms', does: (guest) => guest.sign('heartbeat') };

/** Gives a sign each millisecond for 30 ms, and none thereafter. */
const FALLS_SILENT: readonly ScriptedAct[] = Array.from({ length: 30 }, (_, index) => ({
  at: `${index + 1}ms`,
  does: (guest) => guest.sign('heartbeat'),
}));

describe('the fake pins', () => {
  it('let a detector be tested without a guest', async () => {
    const well = await startFakeRig({
      machine: { guest: [HEARTBEAT] },
      plugins: [hangDetector({ threshold: '50ms' })],
    });
    await well.advance('500ms');
    expect(well).not.toHaveDetected();
    const silent = await startFakeRig({
      machine: { name: 'silent', guest: FALLS_SILENT },
      plugins: [hangDetector({ threshold: '50ms' })],
    });
    await silent.advance('100ms');
    expect(silent).toHaveDetected({ kind: 'hang', suspectSinceNs: 30e6, since: 80e6, within: '15ms' });
  });

  it('let a whole pipeline run, with real checkpoints of fake memory', async () => {
    const rig = await startFakeRig({
      machine: {
        guest: [HEARTBEAT, { at: '7ms', every: '7ms', does: (guest) => guest.store(4096, Uint8Array.of(9)) }],
      },
      plugins: [checkpoint({ interval: '10ms', retain: 3 }), cowb(), recovery()],
    });
    await rig.advance('45ms');
    await rig.domain.get(P_PTABLE).write(8192, Uint8Array.of(7));
    rig.machine.emit('signal', { cause: 'load-access-fault', privilege: 'machine' });
    await rig.advance('1ms');
    expect(rig).toHaveRecovered({ kind: 'crash', rung: 'only', workLostNs: 25e6 });
    expect(await rig.machine.read(8192, 1)).toEqual(Uint8Array.of(0));
    expect(rig.pins.vcpu.calls.map(({ operation }) => operation)).toEqual(['suspend', 'resume']);
    expect(rig.pins.ptable.callsOf('rollback')).toHaveLength(1);
    expect(rig.pins.ptable.callsOf('checkpoint')[0]).toEqual([{ preSave: 'none' }]);
  });

  it('fail on request, once', async () => {
    const rig = await startFakeRig({
      plugins: [checkpoint({ interval: '10ms' }), cowb()],
      faults: 'expected',
    });
    await rig.advance('15ms');
    rig.pins.ptable.failNext('checkpoint', new RmkError('RMK_ERR_STATE', 'the page table is out of order'));
    await rig.advance('10ms');
    expect(rig).toHaveLostProtection({ reason: expect.stringContaining('out of order') });
    await rig.advance('20ms');
    expect(rig).toBeProtected();
  });

  it('refuse what the real ones refuse', async () => {
    const rig = await startFakeRig({ plugins: [] });
    const { domain } = rig;
    await expect(domain.get(P_VCPU).readRegister('eax')).rejects.toThrow('RMK_ERR_UNKNOWN');
    await expect(domain.get(P_VMSIGNAL).raise('nonsense')).rejects.toThrow('RMK_ERR_UNKNOWN');
    await expect(domain.get(P_VMIO).input('keyboard', Uint8Array.of(1))).rejects.toThrow('RMK_ERR_UNKNOWN');
    const { context, log } = await domain.get(CHECKPOINTING).checkpoint({ preSave: 'none' });
    const target = { context, logs: [log] };
    await expect(domain.get(CHECKPOINTING).rollback(target, { preSave: 'none' })).rejects.toThrow(
      'RMK_ERR_STATE',
    );
    log.release();
  });

  it('publish what the machine emits', async () => {
    const scheduled: Omit<Facts['scheduled'], 'atNs'> = {
      cpuNs: 10e6,
      idleNs: 0,
      haltedNs: 0,
      state: 'ran',
      progress: [],
    };
    const rig = await startFakeRig({ plugins: [], record: ['EVT_VMSCHEDULED', 'EVT_PAGEFAULT'] });
    rig.machine.emit('scheduled', scheduled);
    rig.machine.emit('output', {
      device: 'console',
      data: Uint8Array.of(65),
      position: 0,
      guestNs: 0,
      epoch: 0,
    });
    rig.machine.emit('exited', { code: 3 });
    rig.machine.emit('pagefault', { frames: Uint32Array.of(4) });
    expect(rig).toHavePublished('EVT_VMSCHEDULED', { cpuNs: 10e6, source: 'rmk-fake-vmschl' });
    expect(rig).toHavePublished('EVT_VMOUTPUT', { device: 'console' });
    expect(rig).toHavePublished('EVT_VMEXITED', { code: 3 });
    expect(rig).toHavePublished('EVT_PAGEFAULT');
  });

  it('stay away where a plugin brings the pin along', async () => {
    const rig = await startFakeRig({ plugins: [pinVcpu()] });
    await rig.domain.get(P_VCPU).suspend();
    expect(rig).toHavePublished('EVT_VCPUSUSPENDED', { source: '@rmk/pin-vcpu' });
    expect(rig.pins.vcpu.calls).toEqual([]);
  });

  it('are all there', async () => {
    const { domain } = await startFakeRig({ plugins: [checkpoint(), cowb()] });
    expect(domain.plugins.map(({ name }) => name)).toEqual([
      'rmk-fake-vcpu',
      'rmk-fake-ptable',
      'rmk-fake-vmsignal',
      'rmk-fake-vmschl',
      'rmk-fake-vmio',
      '@rmk/protection-watch',
      '@rmk/checkpoint',
      '@rmk/cowb',
    ]);
    expect(domain.get(CHECKPOINTS).retained).toHaveLength(0);
  });
});
