import { checkpoint } from '@rmk/checkpoint';
import { definePlugin, type Module } from '@rmk/core';
import { cowp } from '@rmk/cowp';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain, startTree } from '@rmk/kernel';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { recovery } from '@rmk/recovery';

class Meter implements Module {
  start(): void {
    throw new Error('no such device');
  }
}

const meter = definePlugin({
  name: 'rmk-plugin-meter',
  version: '1.0.0',
  rmk: '^0.2.0',
  modules: [Meter],
  onFailure: 'continue',
});

const machine = new EmbeddedHypervisor().createMachine({ name: 'tasks', elf: readGuest('tasks') });
const plugins = [pinVcpu(), pinPtable(), checkpoint(), cowp(), recovery(), meter()];
const domain = await createDomain({ name: 'tasks', machine, plugins });
console.log(startTree(domain));
await domain.stop();
