import 'reflect-metadata';
import { basename } from 'node:path';
import { definePlugin, messageOf, VIRTUAL_MACHINE, type Module, type VirtualMachine } from '@rmk/core';
import { FAKE_MACHINE, startFakeRig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';

/** Takes a timer of the machine itself, and keeps it. */
@injectable()
class Careless implements Module {
  constructor(@inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine) {}

  start(): void {
    this.machine.extension(FAKE_MACHINE)?.clock.every(5e6, () => undefined);
  }
}

const careless = definePlugin({
  name: 'rmk-plugin-careless',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  modules: [Careless],
});

const rig = await startFakeRig({ plugins: [careless()] });
const leaks = (await rig.stop().catch(messageOf)) ?? '';
console.log(
  leaks.replaceAll(/\((.*?)([:\d]*)\)/g, (_, path: string, place) => `(${basename(path)}${place})`),
);
