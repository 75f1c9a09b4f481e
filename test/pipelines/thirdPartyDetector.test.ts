import 'reflect-metadata';
import { BUS, definePlugin, nanoseconds, P_VMIO, type Bus, type Module, type RmkEvent } from '@rmk/core';
import { RISCV_BARE_METAL } from '@rmk/pin-vmsignal';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { expect, it } from 'vitest';

/** Knows what the guest prints when something is wrong with it. */
@injectable()
class PanicReader implements Module {
  private lastGoodNs = 0;

  constructor(@inject(BUS) private readonly bus: Bus) {}

  start(): void {
    this.bus.on('EVT_VMOUTPUT', (output) => this.read(output));
  }

  private read({ atNs, data }: RmkEvent<'EVT_VMOUTPUT'>): void {
    const suspectSinceNs = this.lastGoodNs;
    this.lastGoodNs = atNs;
    if (!new TextDecoder().decode(data).includes('panic:')) return;
    const panic = { atNs, kind: 'panic', cause: 'panic on the console', suspectSinceNs };
    this.bus.topic('EVT_ERRORDETECTED').publish(panic);
  }
}

const panicReader = definePlugin({
  name: 'rmk-plugin-panic-reader',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VMIO],
  modules: [PanicReader],
  detects: () => [{ kind: 'panic', boundNs: nanoseconds('400ms') }],
});

it('a panic on the console is undone', async () => {
  // Crashes that RMK would otherwise detect first: ordinary here.
  const crashes = ['instruction-access-fault', 'breakpoint'];
  const ordinary = crashes.map((cause) => ({ cause, privilege: 'machine' as const }));
  const preset = microcheckpoint({
    hang: false,
    signals: { ordinary: [...RISCV_BARE_METAL, ...ordinary] },
  });
  const rig = await startRig({ guest: 'tasks', plugins: [...preset, panicReader()] });
  await rig.advance('700ms');
  await rig.machine.writeRegister('privilege', 3n);
  await rig.machine.writeRegister('pc', 0n);
  await rig.advance('100ms');

  expect(rig).toHaveRecovered({ kind: 'panic', by: 'rmk-plugin-panic-reader', rung: 'target', times: 1 });
  expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
});
