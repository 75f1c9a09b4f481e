import 'reflect-metadata';
import { checkpoint } from '@rmk/checkpoint';
import {
  BUS,
  definePlugin,
  messageOf,
  OPTIONS,
  CHECKPOINTING,
  VIRTUAL_MACHINE,
  type Bus,
  type Module,
  type CheckpointingPin,
  type VirtualMachine,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectNoLeaks, FAKE_MACHINE, startFakeRig, type FakeRig } from '../src/index.js';

const NEVER = new Promise<void>(() => undefined);

/** A plugin that takes something and does not give it back. */
@injectable()
class Careless implements Module {
  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(CHECKPOINTING) private readonly checkpointing: CheckpointingPin,
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly leak: string,
  ) {}

  async start(): Promise<void> {
    // Past the domain, which would have released it.
    const machine = this.machine.extension(FAKE_MACHINE);
    if (this.leak === 'timer') machine?.clock.every(5e6, () => undefined);
    if (this.leak === 'later timer') this.bus.on('EVT_VMRESTARTED', () => this.takeTimer());
    if (this.leak === 'observer') machine?.observe('output', () => undefined);
    if (this.leak === 'page log') await this.checkpointing.checkpoint({ preSave: 'none' });
    if (this.leak === 'context') {
      const { log } = await this.checkpointing.checkpoint({ preSave: 'none' });
      log.release();
    }
    if (this.leak === 'promise') this.bus.on('EVT_VMRESTARTED', () => NEVER);
    if (this.leak === 'subscription') {
      this.bus.on('EVT_VMRESTARTED', () => void this.bus.on('EVT_VMOUTPUT', () => undefined));
    }
  }

  private takeTimer(): void {
    this.machine.extension(FAKE_MACHINE)?.clock.after(1e9, () => undefined);
  }
}

const careless = definePlugin({
  name: 'rmk-plugin-careless',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE, CHECKPOINTING],
  modules: [Careless],
  options: z.string(),
});

/** A plugin that takes nothing. */
@injectable()
class Careful implements Module {
  start(): void {}
}

const careful = definePlugin({
  name: 'rmk-plugin-careful',
  version: '1.0.0',
  rmk: '^0.2.0',
  modules: [Careful],
});

function publishRestart({ domain }: FakeRig): void {
  domain.bus.topic('EVT_VMRESTARTED').publish({ atNs: 0 });
}

describe('the leak check', () => {
  it.each([
    ['timer', 'a timer each 5.000 ms', 'Careless.start'],
    ['later timer', 'a timer of 1000.000 ms', 'Careless.takeTimer'],
    ['observer', 'an observer of the fact output', 'Careless.start'],
    ['page log', 'the page log of the checkpoint at 0.000 ms', 'PageTable.checkpoint'],
    ['context', 'the context of the checkpoint at 0.000 ms', 'PageTable.checkpoint'],
  ])('finds a %s that a plugin left behind, names both, and the place', async (leak, label, site) => {
    const rig = await startFakeRig({ plugins: [careless(leak)] });
    publishRestart(rig);
    await expect(rig.stop()).rejects.toThrow(`rmk-plugin-careless left ${label} on the VM fake, taken in`);
    const again = await startFakeRig({ plugins: [careless(leak)] });
    publishRestart(again);
    await expect(again.stop()).rejects.toThrow(site);
  });

  it('knows plugins that came later', async () => {
    const rig = await startFakeRig({ plugins: [] });
    await rig.domain.install(careless('page log'));
    await expect(rig.stop()).rejects.toThrow('rmk-plugin-careless left the page log');
  });

  it('leaves the test its own page logs', async () => {
    const rig = await startFakeRig({ plugins: [] });
    await rig.domain.get(CHECKPOINTING).checkpoint({ preSave: 'none' });
    await rig.stop();
  });

  it('finds a promise that is never settled', async () => {
    const plugins = [careless('promise')];
    const rig = await startFakeRig({ plugins, timeouts: { stop: '50ms' } });
    publishRestart(rig);
    const problems = await rig.stop().catch(messageOf);
    expect(problems).toMatch(/rmk-plugin-careless.*EVT_VMRESTARTED.*not finished within/);
  });

  it("finds a promise of the test's own that is never settled", async () => {
    const rig = await startFakeRig({ plugins: [] });
    rig.domain.bus.on('EVT_VMRESTARTED', () => new Promise(() => {}));
    publishRestart(rig);
    await expect(rig.stop()).rejects.toThrow('the VM fake is still held');
  });

  it('finds subscriptions that grow in number, and names the plugin and the label', async () => {
    const rig = await startFakeRig({ plugins: [careless('subscription')] });
    await expect(expectNoLeaks(rig, async () => publishRestart(rig))).rejects.toThrow(
      'rmk-plugin-careless registers EVT_VMOUTPUT: 5 more after 5 repetitions',
    );
  });

  it('finds nothing in a domain in which plugins come and go', async () => {
    const rig = await startFakeRig({ plugins: [checkpoint({ interval: '1ms' }), cowb()] });
    await expectNoLeaks(rig, async () => {
      await rig.domain.install(careful());
      await rig.advance('5ms');
      await rig.domain.remove('rmk-plugin-careful');
    });
    await rig.stop();
  });
});
