import 'reflect-metadata';
import { checkpoint } from '@rmk/checkpoint';
import {
  BUS,
  CHECKPOINTS,
  definePlugin,
  hasCode,
  problemText,
  P_PTABLE,
  P_VCPU,
  provide,
  token,
  type Bus,
  type EventName,
  type Manifest,
  type Module,
  type Plugin,
  type RmkError,
  type RmkErrorCode,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { hangDetector } from '@rmk/hang-detector';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { recovery } from '@rmk/recovery';
import { startRig, type Rig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { crash } from './faults.js';
import { compressor, goldenEnd } from './guests.js';
import { tinyGuest } from './tinyGuest.js';

const ENDLESS_LOOP = 0x0000_006f;
const loop = tinyGuest('loop', [ENDLESS_LOOP]);

/** What a domain with these plugins is refused with. */
async function refusalOf(plugins: readonly Plugin[]): Promise<RmkError> {
  try {
    await startRig({ ...loop, plugins });
  } catch (error) {
    if (hasCode(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** What people write who are not held up by types. */
function untyped(factory: unknown, options: unknown): Plugin {
  return (factory as (options: unknown) => Plugin)(options);
}

describe('an option that is not valid', () => {
  it.each([
    { factory: hangDetector, options: { treshold: '200ms' }, message: /options.*treshold/ },
    {
      factory: hangDetector,
      options: { threshold: '0ms' },
      message: /options\.threshold: expected a duration above zero/,
    },
    {
      factory: hangDetector,
      options: { threshold: 200 },
      message: /options\.threshold: expected a duration above zero/,
    },
    { factory: hangDetector, options: { signs: [] }, message: /options\.signs: / },
    {
      factory: checkpoint,
      options: { interval: '0ms' },
      message: /options\.interval: expected a duration above zero/,
    },
    {
      factory: checkpoint,
      options: { interval: '-50ms' },
      message: /options\.interval: expected a duration above zero/,
    },
    {
      factory: checkpoint,
      options: { interval: '50' },
      message: /options\.interval: expected a duration above zero/,
    },
    { factory: checkpoint, options: { retain: 1 }, message: /options\.retain: / },
    { factory: checkpoint, options: { retain: 2.5 }, message: /options\.retain: / },
    {
      factory: cowp,
      options: { clusterPages: 3 },
      message: /options\.clusterPages: expected a power of two/,
    },
    { factory: cowp, options: { clusterPages: 0 }, message: /options\.clusterPages: / },
    { factory: cowp, options: { clusterPages: 1024 }, message: /options\.clusterPages: / },
    { factory: cowb, options: { clusterPages: 8 }, message: /takes no options/ },
    { factory: recovery, options: { maxRestarts: -1 }, message: /options\.maxRestarts: / },
    {
      factory: recovery,
      options: { restartWindow: 'soon' },
      message: /options\.restartWindow: expected a duration/,
    },
    {
      factory: pinVmsignal,
      options: { ordinary: [{ cause: 'breakpoint', privilege: 'hypervisor' }] },
      message:
        /options\.ordinary: expected 'bare-metal', 'rtos', 'linux', or a list of \{ cause, privilege \}/,
    },
    { factory: pinVcpu, options: {}, message: /takes no options/ },
  ])('$options is refused, with plugin and path', async ({ factory, options, message }) => {
    const plugin = untyped(factory, options);
    const refusal = await refusalOf([plugin]);
    // Some want pins besides; the options are complained of in any case.
    const complaints = refusal.problems.length > 1 ? refusal.problems.map(problemText) : [refusal.message];
    const complaint = complaints.find((one) => message.test(one));
    expect(complaint, refusal.message).toContain('RMK_ERR_OPTIONS');
    expect(complaint).toContain(plugin.definition.name);
  });

  const placesOf = ({ problems }: RmkError): readonly string[] =>
    problems.map(({ plugin = 'microcheckpoint', path }) => `${plugin}: ${path}`);

  it('is refused together with all others', async () => {
    const refusal = await refusalOf([
      ...microcheckpoint({
        hang: { threshold: '0s' },
        recovery: { maxRestarts: -1, restartWindow: '0h' },
      }).filter(({ definition }) => definition.name !== '@rmk/checkpoint'),
      untyped(checkpoint, { interval: '0ms', retain: 1 }),
    ]);
    expect(refusal.code).toBe('RMK_ERR_REFUSED');
    expect(placesOf(refusal)).toEqual([
      '@rmk/hang-detector: options.threshold',
      '@rmk/recovery: options.maxRestarts',
      '@rmk/recovery: options.restartWindow',
      '@rmk/checkpoint: options.interval',
      '@rmk/checkpoint: options.retain',
    ]);
  });

  it('is refused by the preset at the option that was written, together with those that it passes on', () => {
    const make = () =>
      microcheckpoint({
        interval: '0ms',
        retain: 1,
        signals: { ordinary: [{ cause: 'breakpoint', privilege: 'hypervisor' as 'user' }] },
        hang: { threshold: '0s' },
        recovery: { maxRestarts: -1, restartWindow: '0h' },
      });
    let refusal: unknown;
    try {
      make();
    } catch (error) {
      refusal = error;
    }
    if (!hasCode(refusal)) throw new Error('nothing was refused');
    expect(refusal.code).toBe('RMK_ERR_INPUT');
    expect(placesOf(refusal)).toEqual([
      'microcheckpoint: interval',
      'microcheckpoint: retain',
      '@rmk/pin-vmsignal: signals.ordinary',
      '@rmk/hang-detector: hang.threshold',
      '@rmk/recovery: recovery.maxRestarts',
      '@rmk/recovery: recovery.restartWindow',
    ]);
  });
});

describe('plugins that do not fit together', () => {
  const without = (name: string) => microcheckpoint().filter(({ definition }) => definition.name !== name);

  it.each([
    {
      missing: '@rmk/pin-ptable',
      problems: ['@rmk/checkpoint requires CHECKPOINTING'],
    },
    { missing: '@rmk/pin-vcpu', problems: ['@rmk/recovery requires P_VCPU'] },
    { missing: '@rmk/pin-vmschl', problems: ['@rmk/hang-detector requires P_VMSCHL'] },
    {
      missing: '@rmk/checkpoint',
      problems: ['@rmk/cowp requires CHECKPOINTS', '@rmk/recovery requires CHECKPOINTS'],
    },
  ])('without $missing: $problems', async ({ missing, problems }) => {
    const refusal = await refusalOf(without(missing));
    const complaints = refusal.problems.length > 1 ? refusal.problems.map(problemText) : [refusal.message];
    expect(complaints).toHaveLength(problems.length);
    problems.forEach((problem, index) => {
      expect(complaints[index]).toContain('RMK_ERR_MISSING');
      expect(complaints[index]).toContain(problem);
    });
  });

  it('two of one name are refused', async () => {
    const refusal = await refusalOf([...microcheckpoint(), cowp()]);
    expect(refusal.code).toBe('RMK_ERR_DUPLICATE');
    expect(refusal.plugin).toBe('@rmk/cowp');
  });

  it('two that provide one pin are refused', async () => {
    const { definition } = pinPtable();
    const other = { definition: { ...definition, name: 'rmk-plugin-ptable' }, options: undefined };
    const refusal = await refusalOf([...microcheckpoint(), other]);
    expect(refusal.code).toBe('RMK_ERR_DUPLICATE');
    expect(refusal.message).toContain('both @rmk/pin-ptable and rmk-plugin-ptable provide P_PTABLE');
  });

  it('those that wait for each other are refused, and the path is shown', async () => {
    const EGG = token<Module>('EGG');
    const CHICKEN = token<Module>('CHICKEN');
    class Nothing implements Module {
      start(): void {}
    }
    const plugin = (name: string, needs: typeof EGG, gives: typeof EGG): Plugin =>
      definePlugin({
        name,
        version: '1.0.0',
        rmk: '^0.2.0',
        requires: [needs],
        provides: [provide(gives, Nothing)],
      })();
    const plugins = [plugin('rmk-plugin-hen', EGG, CHICKEN), plugin('rmk-plugin-egg', CHICKEN, EGG)];
    const refusal = await refusalOf([...microcheckpoint(), ...plugins]);
    expect(refusal.code).toBe('RMK_ERR_CYCLE');
    expect(refusal.message).toContain('rmk-plugin-hen → rmk-plugin-egg → rmk-plugin-hen');
  });
});

type Where = 'constructor' | 'start' | 'handler' | 'timer' | 'stop';

/** A plugin whose one module throws in one place. */
function throwing(where: Where): Plugin {
  @injectable()
  class Thrower implements Module {
    constructor(@inject(BUS) private readonly bus: Bus) {
      throwIn('constructor');
    }

    start(): void {
      throwIn('start');
      this.bus.on('EVT_CHECKPOINTED', () => throwIn('handler'));
    }

    stop(): void {
      throwIn('stop');
    }
  }
  function throwIn(place: Where): void {
    if (place === where) throw new Error(`thrown in the ${place}`);
  }
  return definePlugin({
    name: 'rmk-plugin-thrower',
    version: '1.0.0',
    rmk: '^0.2.0',
    requires: [P_VCPU, P_PTABLE, CHECKPOINTS],
    modules: [Thrower],
  })();
}

describe('a module that throws', () => {
  it.each(['constructor', 'start'] as const)(
    'in its %s is named, and nothing is left running',
    async (where) => {
      const refusal = await refusalOf([...microcheckpoint(), throwing(where)]);
      expect(refusal.code).toBe('RMK_ERR_START');
      expect(refusal.plugin).toBe('rmk-plugin-thrower');
      expect(refusal.message).toContain('Thrower');
      expect(refusal.message).toContain(`thrown in the ${where}`);
    },
  );

  it.each(['constructor', 'start'] as const)(
    'in its %s cannot be installed, and the others go on',
    async (where) => {
      const rig = await startRig({ ...compressor, plugins: microcheckpoint() });
      await rig.advance('60ms');
      const before = rig.domain.plugins.map(({ name }) => name);
      await expect(rig.domain.install(throwing(where))).rejects.toMatchObject({ code: 'RMK_ERR_START' });
      expect(rig.domain.plugins.map(({ name }) => name)).toEqual(before);
      await rig.advance('100ms');
      await crash(rig);
      expect(await rig.runToEnd()).toBe(0);
      expect(rig.guestState).toEqual(await goldenEnd(compressor));
    },
  );

  it('in a handler is reported with the event, and the others go on', async () => {
    const plugins = [...microcheckpoint(), throwing('handler')];
    const rig = await startRig({ ...loop, plugins, faults: 'expected' });
    await rig.advance('160ms');
    const checkpointed = rig.events('EVT_CHECKPOINTED');
    expect(checkpointed).toHaveLength(4);
    expect(
      rig.events('EVT_PLUGINFAULT').map(({ plugin, during, occurrence }) => [plugin, during, occurrence]),
    ).toEqual(checkpointed.map(({ sequence }) => ['rmk-plugin-thrower', 'EVT_CHECKPOINTED', sequence]));
  });

  it('in its stop is reported, and all others are stopped', async () => {
    const rig = await startRig({ ...loop, plugins: [...microcheckpoint(), throwing('stop')] });
    await rig.advance('60ms');
    await expect(rig.domain.stop()).rejects.toMatchObject({
      code: 'RMK_ERR_STOP',
      plugin: 'rmk-plugin-thrower',
    });
    expect(rig.domain.plugins).toEqual([]);
    expect(rig.machine.pendingTimers).toBe(0);
  });
});

/** Does one thing when something happens, and nothing before. */
function reacting(name: string, react: (bus: Bus) => void, manifest: Partial<Manifest> = {}): Plugin {
  @injectable()
  class Reacting implements Module {
    constructor(@inject(BUS) private readonly bus: Bus) {}

    start(): void {
      this.bus.on('EVT_CHECKPOINTED', () => react(this.bus));
    }
  }
  return definePlugin({ name, version: '1.0.0', rmk: '^0.2.0', modules: [Reacting], ...manifest })();
}

describe('what is wrong with a plugin that is installed beside a running guest', () => {
  const THERMOMETER = token<{ read(): number }>('rmk-plugin-thermometer', { members: ['read'] });
  class Liar implements Module {
    start(): void {}
  }
  const UNDECLARED = 'EVT_CHECKPOINTD' as EventName;
  const installed = (plugin: Plugin) => (rig: Rig) => rig.domain.install(plugin);

  const mistakes: readonly {
    readonly mistake: string;
    readonly code: RmkErrorCode;
    readonly message: string;
    readonly make: (rig: Rig) => Promise<unknown>;
  }[] = [
    {
      mistake: 'wrong options',
      code: 'RMK_ERR_OPTIONS',
      message: '@rmk/heartbeat: options.threshold: expected a duration above zero',
      make: installed({
        definition: { ...hangDetector().definition, name: '@rmk/heartbeat' },
        options: { threshold: 'soon' },
      }),
    },
    {
      mistake: 'a version range that excludes this RMK',
      code: 'RMK_ERR_VERSION',
      message: 'rmk-plugin-old 1.0.0 works with RMK <0.1.0',
      make: installed(reacting('rmk-plugin-old', () => {}, { rmk: '<0.1.0' })),
    },
    {
      mistake: 'a `provides` that lies',
      code: 'RMK_ERR_PROVIDES',
      message:
        'rmk-plugin-liar does not provide what its tokens promise: Liar, which is to be rmk-plugin-thermometer, lacks read',
      make: installed(
        reacting('rmk-plugin-liar', () => {}, { provides: [{ token: THERMOMETER, by: Liar }] }),
      ),
    },
    {
      mistake: 'a subscription to an event that nobody declares',
      code: 'RMK_ERR_EVENT',
      message: 'rmk-plugin-deaf: neither RMK nor a plugin of the domain declares the event EVT_CHECKPOINTD',
      make: async (rig) => {
        await rig.domain.install(reacting('rmk-plugin-deaf', (bus) => void bus.on(UNDECLARED, () => {})));
        await rig.advance('50ms');
        const [fault] = rig.events('EVT_PLUGINFAULT');
        await rig.domain.remove('rmk-plugin-deaf');
        throw fault?.error;
      },
    },
    {
      mistake: 'a call of a pin after its removal',
      code: 'RMK_ERR_INACTIVE',
      message:
        'host cannot call rmk-plugin-thermometer.read: rmk-plugin-weather, which provides it, was removed',
      make: async (rig) => {
        class Thermometer {
          read(): number {
            return 40;
          }
        }
        const provides = [provide(THERMOMETER, Thermometer)];
        await rig.domain.install(reacting('rmk-plugin-weather', () => {}, { provides }));
        const thermometer = rig.domain.get(THERMOMETER);
        await rig.domain.remove('rmk-plugin-weather');
        thermometer.read();
      },
    },
  ];

  it.each(mistakes)(
    '$mistake, is reported with $code, and kernel, plugins and guest go on',
    async ({ code, message, make }) => {
      const rig = await startRig({ ...compressor, plugins: microcheckpoint(), faults: 'expected' });
      await rig.advance('160ms');
      const before = rig.domain.plugins.map(({ name, state }) => `${name} ${state}`);
      const error: unknown = await make(rig).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, message: expect.stringContaining(`${code}: ${message}`) });
      expect(rig.domain.plugins.map(({ name, state }) => `${name} ${state}`)).toEqual(before);
      await rig.advance('100ms');
      await crash(rig);
      expect(await rig.runToEnd()).toBe(0);
      expect(rig.events('EVT_RECOVERED').map(({ record }) => record.rung)).toEqual(['target']);
      expect(rig.guestState).toEqual(await goldenEnd(compressor));
    },
  );
});
