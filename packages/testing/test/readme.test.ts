import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { checkpoint } from '@rmk/checkpoint';
import {
  definePlugin,
  messageOf,
  P_VCPU,
  VIRTUAL_MACHINE,
  type Module,
  type VirtualMachine,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { recovery } from '@rmk/recovery';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { FAKE_MACHINE, startFakeRig, startRig } from '../src/index.js';

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const README = text('../README.md');

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
  rmk: '^0.1.0',
  requires: [VIRTUAL_MACHINE],
  modules: [Careless],
});

describe('the README', () => {
  it.each([
    'fakesExample.test.ts',
    '../../hypervisor-embedded/test/conformance.test.ts',
    '../../../plugins/cowb/test/conformance.test.ts',
    '../../../plugins/hang-detector/test/conformance.test.ts',
  ])('shows %s as it stands there', (path) => {
    expect(README).toContain(`\`\`\`ts\n${text(path)}\`\`\``);
  });

  it('shows what a matcher says when it fails', async () => {
    const agent = checkpoint({ interval: '10ms', retain: 3 });
    const signals = pinVmsignal({ latencyBound: { bound: '10ms', quantile: 0.95 } });
    const plugins = [pinVcpu(), pinPtable(), signals, agent, cowb(), recovery()];
    const rig = await startRig({ guest: 'tasks', plugins });
    await rig.advance('125ms');
    await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
    await rig.advance('5ms');
    let said = '';
    try {
      expect(rig).toHaveDetected({ kind: 'hang', within: '100ms' });
    } catch (error) {
      said = messageOf(error);
    }
    expect(README).toContain(`\`\`\`\n${said}\n\`\`\``);
  });

  it('shows how a leak is reported', async () => {
    const rig = await startFakeRig({ plugins: [careless()] });
    const said = await rig.stop().catch(messageOf);
    const [withoutFolders] = /^.*Careless\.start/.exec(said ?? '') ?? [];
    expect(withoutFolders).toMatch(/^rmk-plugin-careless left a timer/);
    expect(README).toContain(`\`\`\`\n${withoutFolders} (`);
  });
});
