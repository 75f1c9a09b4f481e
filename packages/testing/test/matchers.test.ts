import { checkpoint } from '@rmk/checkpoint';
import { definePlugin, nanoseconds, P_VCPU, type EventName, type RmkEvents } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { recovery } from '@rmk/recovery';
import { createDomain } from '@rmk/kernel';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { guestMachine, Recorder, startRig, type Rig, type RmkMatchers } from '../src/index.js';

declare module '@rmk/core' {
  interface RmkEvents {
    EVT_ROOMTOOHOT: { atNs: number; celsius: number };
  }
}

/** Declares the event of a third party. */
const thermometer = definePlugin({
  name: 'rmk-plugin-thermometer',
  version: '1.0.0',
  rmk: '^0.2.0',
  events: ['EVT_ROOMTOOHOT'],
});

async function protectedRig(): Promise<Rig> {
  return startRig({
    guest: 'tasks',
    plugins: [
      pinVcpu(),
      pinPtable(),
      pinVmsignal({ latencyBound: { bound: '10ms', quantile: 0.95 } }),
      checkpoint({ interval: '10ms', retain: 3 }),
      cowb(),
      recovery(),
      thermometer(),
    ],
    record: ['EVT_ROOMTOOHOT'],
  });
}

async function crashedAt(rig: Rig): Promise<number> {
  await rig.advance('125ms');
  const atNs = rig.nowNs;
  await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
  await rig.advance('5ms');
  return atNs;
}

function publish<E extends EventName>(rig: Rig, name: E, event: RmkEvents[E]): void {
  rig.domain.bus.topic(name).publish(event);
}

/** What a matcher says when it does not match. */
function saidBy(match: () => void): string {
  try {
    match();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing';
}

describe('the matchers', () => {
  it('look for a detection and a recovery with the fields that were asked for', async () => {
    const rig = await protectedRig();
    const since = await crashedAt(rig);
    expect(rig).toHaveDetected();
    expect(rig).toHaveDetected({ kind: 'crash', by: '@rmk/pin-vmsignal', since, within: '1ms', times: 1 });
    expect(rig).toHaveDetected({ cause: expect.stringContaining('access-fault') });
    expect(rig).not.toHaveDetected({ kind: 'hang' });
    expect(rig).not.toHaveDetected({ kind: 'crash', since: since + nanoseconds('1ms') });
    expect(rig).toHaveRecovered({ kind: 'crash', by: '@rmk/pin-vmsignal', rung: 'target', occurrence: 1 });
    expect(rig).not.toHaveRecovered({ rung: 'restart' });
    expect(rig).not.toHaveRestarted();
    expect(rig).not.toHaveFailedToRecover();
  });

  it('look for checkpoints and for what became of protection', async () => {
    const rig = await protectedRig();
    expect(rig).not.toBeProtected();
    await rig.advance('35ms');
    expect(rig).toHaveCheckpointed({ algorithm: '@rmk/cowb', times: 4 });
    expect(rig).toHaveCheckpointed({ origin: 'first', times: 1 });
    expect(rig).toBeProtected();
    expect(rig).not.toHaveLostProtection();
    await rig.domain.remove('@rmk/cowb');
    expect(rig).not.toBeProtected();
    expect(rig).toHaveLostProtection({ reason: expect.stringContaining('no checkpoint algorithm') });
  });

  it('look for faults, restarts and events of third parties', async () => {
    const rig = await protectedRig();
    const error = new Error('a mistake');
    publish(rig, 'EVT_PLUGINFAULT', {
      atNs: 1,
      plugin: 'p',
      during: 'timer',
      occurrence: 0,
      error,
      faults: 1,
    });
    publish(rig, 'EVT_PLUGINQUARANTINED', { atNs: 2, plugin: 'p', faults: 1 });
    publish(rig, 'EVT_ROOMTOOHOT', { atNs: 3, celsius: 41 });
    const trigger = { kind: 'hang', cause: 'stuck', atNs: 4, detector: 'd', latency: { boundNs: 0 } };
    publish(rig, 'EVT_RECOVERYFAILED', { atNs: 4, trigger, attempts: [], reason: 'why', givenUp: false });
    expect(rig).toHaveFailedToRecover({ kind: 'hang', by: 'd', reason: 'why', givenUp: false, times: 1 });
    expect(rig).not.toHaveFailedToRecover({ givenUp: true });
    expect(rig).toHaveFaulted({ plugin: 'p', during: 'timer', message: 'a mistake' });
    expect(rig).toHaveQuarantined({ plugin: 'p' });
    expect(rig).toHavePublished('EVT_ROOMTOOHOT', { celsius: 41 }, { times: 1 });
    expect(rig).not.toHavePublished('EVT_ROOMTOOHOT', { celsius: 40 });
    await rig.stop().catch(() => undefined);
  });

  it('take a recorder on a domain that no rig has made', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine(guestMachine('tasks'));
    const recorder = new Recorder();
    const plugins = [pinPtable(), checkpoint(), cowb()];
    const observe = recorder.observe.bind(recorder);
    const domain = await createDomain({ name: 'tasks', machine, plugins, observe });
    await hypervisor.run({ untilNs: 1e6 });
    await domain.stop();
    await hypervisor.close();
    expect(recorder).toHaveCheckpointed({ times: 1 });
  });

  it('say what was expected, what was there instead, and what happened', async () => {
    const rig = await protectedRig();
    await crashedAt(rig);
    const said = saidBy(() => expect(rig).toHaveDetected({ kind: 'hang', within: '100ms' }));
    expect(said.split('\n').map((line) => line.trimEnd())).toEqual([
      'expected a detection with kind "hang", from 0.000 ms on, within 100ms, and there was none',
      '  not the one at 125.000 ms: later than 100.000 ms; kind is "crash"',
      '',
      'Recorded:',
      '       0.000 ms  EVT_CHECKPOINTED        @rmk/checkpoint  first by @rmk/cowb',
      expect.stringMatching(
        /^ {6}10\.000 ms {2}EVT_CHECKPOINTED {8}@rmk\/checkpoint {2}interval by @rmk\/cowb, \d+ pages/,
      ),
      '                 … 9 × EVT_CHECKPOINTED …',
      expect.stringMatching(/^ {5}110\.000 ms {2}EVT_CHECKPOINTED/),
      expect.stringMatching(/^ {5}120\.000 ms {2}EVT_CHECKPOINTED/),
      '     125.000 ms  EVT_ERRORDETECTED       @rmk/pin-vmsignal  crash: instruction-access-fault in user mode',
      '     125.000 ms  EVT_VCPUSUSPENDED       @rmk/pin-vcpu',
      expect.stringMatching(
        /^ {5}125\.000 ms {2}EVT_ROLLEDBACK {10}@rmk\/checkpoint {2}to 110\.000 ms, \d+ pages, 15\.000 ms undone$/,
      ),
      '     125.000 ms  EVT_VCPURESUMED         @rmk/pin-vcpu',
      '     125.000 ms  EVT_RECOVERED           @rmk/recovery  crash of @rmk/pin-vmsignal: rung target, occurrence 1, 15.000 ms of work lost',
    ]);
  });

  it('say what is there though it should not be, or not so often', async () => {
    const rig = await protectedRig();
    await crashedAt(rig);
    expect(saidBy(() => expect(rig).not.toHaveRecovered({ kind: 'crash' }))).toMatch(
      /^expected no recovery with kind "crash", and there was one\n {2}it fits: the one at 125\.000 ms\n/,
    );
    expect(saidBy(() => expect(rig).toHaveDetected({ times: 2 }))).toMatch(
      /^expected exactly 2 × detection, and there was one\n/,
    );
    expect(saidBy(() => expect(rig).not.toBeProtected())).toMatch(
      /^expected the guest not to be protected: the last word was EVT_ROLLEDBACK\n/,
    );
  });

  it('reject other subjects, and events that are not recorded', async () => {
    const rig = await protectedRig();
    expect(() => expect(5).toHaveDetected()).toThrow('RMK_ERR_INPUT');
    expect(() => expect(rig).toHavePublished('EVT_VMSCHEDULED')).toThrow(
      "EVT_VMSCHEDULED is not recorded: name it in the rig's option `record`",
    );
  });

  it('refuse what nothing can be asked by, also where they are to fail', async () => {
    const rig = await protectedRig();
    const misspelt: object = { knd: 'hang', times: 1 };
    expect(() => expect(rig).not.toHaveDetected(misspelt)).toThrow(
      'RMK_ERR_INPUT: a detection cannot be asked for by knd: choose among kind, by, cause, suspectSinceNs, since, within, times',
    );
    expect(() => expect(rig).not.toHaveRestarted(misspelt)).toThrow('cannot be asked for by knd');
  });

  it('are typed', () => {
    expectTypeOf<RmkMatchers['toHaveRecovered']>().parameter(0).toExtend<{ rung?: string } | undefined>();
    // @ts-expect-error: there is no such rung
    void (() => expect({}).toHaveRecovered({ rung: 'sideways' }));
    // @ts-expect-error: the event has no such field
    void (() => expect({}).toHavePublished('EVT_ROOMTOOHOT', { fahrenheit: 100 }));
  });
});
