import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import {
  BUS,
  CHECKPOINTS,
  definePlugin,
  ERROR_CODES,
  hasCode,
  P_PTABLE,
  P_VCPU,
  P_VMIO,
  provide,
  token,
  WARNING_CODES,
  type Bus,
  type Class,
  type Domain,
  type EventName,
  type Manifest,
  type Module,
  type Plugin,
  type RmkErrorCode,
} from '@rmk/core';
import { checkpoint } from '@rmk/checkpoint';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor, type EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { installMissing, linuxGuest } from '@rmk/hypervisor-qemu';
import { createDomain, type DomainOptions } from '@rmk/kernel';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { hangDetector } from '@rmk/hang-detector';
import { heartbeatDetector } from '@rmk/heartbeat-detector';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { buildChain, MODEL_ERROR_CODES, transient, type ChainDefinition } from '@rmk/model';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** The sections of the page by their headings, which are codes. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [
      section.split('\n', 1)[0]?.replaceAll('`', '') ?? '',
      section.split(/^## /m)[0] ?? '',
    ]),
);

/** Does what `does` says in `start()` and `stop()`. */
function meterOf(does: Module): Class {
  return class Meter implements Module {
    start(): void | Promise<void> {
      return does.start?.();
    }

    stop(): void | Promise<void> {
      return does.stop?.();
    }
  };
}
const METER = token<Module>('METER');

@injectable()
class Stuck implements Module {
  constructor(@inject(BUS) private readonly bus: Bus) {}

  start(): void {
    this.bus.on('EVT_VMEXITED', () => new Promise<void>(() => {}));
  }
}
const KEY = token<Module>('KEY', { exclusive: true });

function plugin(name: string, manifest: Partial<Manifest> = {}): Plugin {
  return definePlugin({ name, version: '1.0.0', rmk: '^0.2.0', ...manifest })();
}

function machineOf(): EmbeddedMachine {
  return new EmbeddedHypervisor().createMachine({ name: 'tasks', elf: readGuest('tasks') });
}

async function start(plugins: readonly Plugin[], options: Partial<DomainOptions> = {}): Promise<Domain> {
  return createDomain({ name: 'tasks', machine: machineOf(), plugins, ...options });
}

const failing = meterOf({
  start() {
    throw new Error('no such device');
  },
});

function serverThatGoes(to: string): ChainDefinition {
  const rate = { kind: 'number', value: 1 } as const;
  return {
    name: 'a server',
    states: [
      { name: 'up', reward: 1 },
      { name: 'down', reward: 0 },
    ],
    transitions: [
      { from: 'up', to, rate, label: 'fails' },
      { from: 'down', to: 'up', rate, label: 'is repaired' },
    ],
    initial: 'up',
  };
}

/** How to produce each code, other than those that need QEMU, a full log area or damaged memory. */
const examples = {
  RMK_ERR_OPTIONS: () =>
    start([
      definePlugin({
        name: 'rmk-plugin-meter',
        version: '1.0.0',
        rmk: '^0.2.0',
        options: z.object({ limit: z.number().max(9) }),
      })({ limit: 10 }),
    ]),
  RMK_ERR_VERSION: () => start([plugin('rmk-plugin-meter', { rmk: '^2' })]),
  RMK_ERR_MISSING: () => start([plugin('rmk-plugin-meter', { requires: [P_VMIO] })]),
  RMK_ERR_DUPLICATE: () => start([pinVmio(), pinVmio()]),
  RMK_ERR_EXCLUSIVE: () =>
    start([
      plugin('rmk-plugin-vault', { provides: [provide(KEY, meterOf({}))] }),
      plugin('rmk-plugin-meter', { requires: [KEY] }),
      plugin('rmk-plugin-gauge', { requires: [KEY] }),
    ]),
  RMK_ERR_CYCLE: () =>
    start([
      plugin('rmk-plugin-hen', { after: ['rmk-plugin-egg'] }),
      plugin('rmk-plugin-egg', { after: ['rmk-plugin-hen'] }),
    ]),
  RMK_ERR_CAPABILITY: () =>
    start([plugin('rmk-plugin-meter', { capabilities: ['thermometer' as 'deterministic'] })]),
  RMK_ERR_REQUIRED: async () => (await start(microcheckpoint())).remove('@rmk/checkpoint'),
  RMK_ERR_UNKNOWN: async () => (await start([pinVmio()])).remove('rmk-plugin-meter'),
  RMK_ERR_MANIFEST: () => start([plugin('rmk-plugin-meter', { version: 'one' })]),
  RMK_ERR_REFUSED: () =>
    start([plugin('rmk-plugin-meter', { rmk: '^2' }), plugin('rmk-plugin-gauge', { requires: [P_VMIO] })]),
  RMK_ERR_START: () =>
    start([
      plugin('rmk-plugin-meter', {
        modules: [failing],
      }),
    ]),
  RMK_ERR_PROVIDES: () =>
    start([plugin('rmk-plugin-meter', { provides: [{ token: P_VMIO, by: meterOf({}) }] })]),
  RMK_ERR_DEPENDENCY: async () => {
    const meter = plugin('rmk-plugin-meter', {
      provides: [provide(METER, failing)],
      onFailure: 'continue',
    });
    const domain = await start([meter]);
    await domain.install(plugin('rmk-plugin-gauge', { requires: [METER] }));
  },
  RMK_ERR_STOP: async () => {
    const busy = meterOf({
      stop() {
        throw new Error('the device is busy');
      },
    });
    await (await start([plugin('rmk-plugin-meter', { modules: [busy] })])).stop();
  },
  RMK_ERR_EVENT: async () => (await start([])).bus.on('EVT_CHECKPOINTD' as EventName, () => {}),
  RMK_ERR_INACTIVE: async () => {
    const domain = await start([pinVcpu()]);
    const vcpu = domain.get(P_VCPU);
    await domain.remove('@rmk/pin-vcpu');
    await vcpu.suspend();
  },
  RMK_ERR_STATE: async () => {
    const machine = machineOf();
    await createDomain({ name: 'tasks', machine, plugins: [] });
    await createDomain({ name: 'other', machine, plugins: [] });
  },
  RMK_ERR_INPUT: async () => (await start([])).clock.every(0, () => {}),
  RMK_ERR_ELF: () => new EmbeddedHypervisor().createMachine({ name: 'x', elf: new Uint8Array(10) }),
  RMK_ERR_ADDRESS: async () => (await start([pinPtable()])).get(P_PTABLE).read(0, 16),
  RMK_ERR_RELEASED: async () => {
    const { log } = await machineOf().checkpoint({ preSave: 'none' });
    log.release();
    await log.read(0);
  },
  RMK_ERR_PLATFORM: async () => {
    vi.stubEnv('PATH', '/nonexistent');
    try {
      await linuxGuest({ cache: '/nonexistent' });
    } finally {
      vi.unstubAllEnvs();
    }
  },
  RMK_ERR_NOTINSTALLED: () =>
    installMissing(
      [
        {
          what: 'qemu-system-x86_64',
          debianPackage: 'qemu-system-x86',
          present: () => Promise.resolve(false),
        },
      ],
      { install: false, progress: () => {} },
    ),
  RMK_ERR_TIMEOUT: () =>
    start([plugin('rmk-plugin-meter', { modules: [meterOf({ start: () => new Promise(() => {}) })] })], {
      timeouts: { start: '10ms' },
    }),
  RMK_ERR_UNPROTECTED: async () => (await start([pinPtable(), checkpoint()])).get(CHECKPOINTS).take(),
  RMK_ERR_CHAIN: () => buildChain(serverThatGoes('dwon'), {}),
  RMK_ERR_NUMERIC: () => transient(buildChain(serverThatGoes('down'), {}), 1e12),
} satisfies Partial<Record<RmkErrorCode, () => unknown>>;

async function messageOf(code: string, produce: () => unknown): Promise<string> {
  try {
    await produce();
  } catch (error) {
    if (hasCode(error) && error.code === code) return error.message;
    throw error;
  }
  throw new Error(`${code} was not thrown`);
}

describe('docs/errors.md', () => {
  it('has every code and no other', () => {
    expect([...sections.keys()].toSorted()).toEqual(
      [...Object.keys(ERROR_CODES), ...Object.keys(WARNING_CODES)].toSorted(),
    );
  });

  it('has the codes of the models among them, with the same meaning', () => {
    expect(ERROR_CODES).toMatchObject(MODEL_ERROR_CODES);
  });

  it.each(Object.entries({ ...ERROR_CODES, ...WARNING_CODES }))(
    'says of %s what it means',
    (code, meaning) => {
      const section = sections.get(code) ?? '';
      expect(section.toLowerCase()).toContain(`\n\n${meaning.toLowerCase()}.`);
      expect(section).toMatch(/\n```\nRMK_.+\n(?: .+\n)*```\n/);
      expect(section).toMatch(/\n\*\*Fix:\*\* /);
    },
  );

  it.each(Object.entries(examples))('shows %s as it really is', async (code, produce) => {
    expect(sections.get(code)).toContain(`\`\`\`\n${await messageOf(code, produce)}\n\`\`\``);
  });

  it('shows the warnings as they really are', async () => {
    const seen = new Map<string, string>();
    const observe: DomainOptions['observe'] = (bus) =>
      void bus.on('EVT_WARNING', ({ code, message }) => {
        if (!seen.has(code)) seen.set(code, message);
      });
    const meter = plugin('rmk-plugin-meter', { modules: [failing], onFailure: 'continue' });
    // The risk is accepted by the agent alone, so that the bound of the crashes is not derived from it.
    const risky = microcheckpoint({ retain: 2 }).map((one) =>
      one.definition.name === '@rmk/checkpoint' ? checkpoint({ retain: 2, corruptionRisk: 0.001 }) : one,
    );
    const machine = machineOf();
    machine.resume = async () => {
      throw new Error('the hypervisor is busy');
    };
    const domain = await start([...risky, meter], {
      machine,
      observe,
    });
    (await domain.get(P_VCPU).suspend())[Symbol.dispose]();
    await setImmediate();
    domain.bus.topic('EVT_ERRORDETECTED').publish({ atNs: 0, kind: 'overheated', cause: '90 degrees' });
    const hypervisor = new EmbeddedHypervisor();
    const detected = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
    const hang = hangDetector({ signs: ['task-switch', 'timer-rearmed'], threshold: '10ms' });
    const heartbeat = heartbeatDetector({ device: 'uart', silence: '1s' });
    const plugins = [pinVmio(), pinVmschl(), pinVmsignal(), hang, heartbeat];
    const watched = await start(plugins, { machine: detected, observe });
    await hypervisor.run({ untilNs: 150e6 });
    watched.bus.topic('EVT_CHANNELCHANGED').publish({ atNs: 150e6, device: 'uart', isOpen: false });
    for (let time = 0; time < 5; time++) {
      await detected.writeRegister('privilege', 0n);
      await detected.raise('load-access-fault');
    }
    const held = await start([plugin('rmk-plugin-meter', { modules: [Stuck] })], {
      supervision: { handlerBudget: '5ms' },
      timeouts: { stop: '1ms' },
    });
    const warned = new Promise<void>((resolve) => {
      held.bus.on('EVT_WARNING', ({ code, message }) => {
        seen.set(code, message);
        resolve();
      });
    });
    held.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    await warned;
    await expect(held.stop()).rejects.toThrow('RMK_ERR_TIMEOUT');
    for (const [code, message] of seen)
      expect(sections.get(code)).toContain(`\`\`\`\n${code}: ${message}\n\`\`\``);
    expect([...seen.keys()].toSorted()).toEqual(Object.keys(WARNING_CODES).toSorted());
  });
});
