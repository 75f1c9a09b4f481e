import 'reflect-metadata';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CLOCK, definePlugin, messageOf, type Clock, type Module } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { beforeAll, describe, expect, it } from 'vitest';
import { startFakeRig, startRig } from '../src/index.js';

/** Awaits what never comes. */
@injectable()
class Endless implements Module {
  constructor(@inject(CLOCK) private readonly clock: Clock) {}

  start(): void {
    this.clock.after(5e6, () => new Promise(() => {}));
  }
}

/** Throws in a timer. */
@injectable()
class Failing implements Module {
  constructor(@inject(CLOCK) private readonly clock: Clock) {}

  start(): void {
    this.clock.after(5e6, () => this.read());
  }

  private read(): void {
    throw new RangeError('out of range');
  }
}

const about = { version: '1.0.0', rmk: '^0.2.0' };
const endless = definePlugin({ ...about, name: 'rmk-plugin-endless', modules: [Endless] });
const failing = definePlugin({ ...about, name: 'rmk-plugin-failing', modules: [Failing] });

/** What an async function threw. */
async function thrownBy(work: () => Promise<unknown>): Promise<Error> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

describe('a handler that never settles', () => {
  it.each([
    ['startRig', () => startRig({ guest: 'tasks', plugins: [endless()], timeouts: { stop: '50ms' } })],
    ['startFakeRig', () => startFakeRig({ plugins: [endless()], timeouts: { stop: '50ms' } })],
  ])('is named by the rig of %s before the test times out', async (_, start) => {
    const rig = await start();
    const { message } = await thrownBy(() => rig.advance('20ms'));
    expect(message).toMatch(
      /^RMK_ERR_TIMEOUT: VM \w+ has been held at 5 ms for 3\.5 s of host time: the promise that rmk-plugin-endless returned in timer has not settled\./,
    );
    expect(messageOf(await thrownBy(() => rig.stop()))).toContain('rmk-plugin-endless');
  });
});

describe('a fault that was not expected', () => {
  it('is shown with the place and the stack of the author, and is the cause', async () => {
    const rig = await startFakeRig({ plugins: [failing()] });
    await rig.advance('20ms');
    const failure = await thrownBy(() => rig.stop());
    expect(failure.message).toMatch(
      /^rmk-plugin-failing had a fault in timer: out of range at .*mistakes\.test\.ts:\d+:\d+ \(/,
    );
    expect(failure.cause).toBeInstanceOf(RangeError);
    const frames = (failure.stack ?? '').split('\n').slice(1);
    expect(frames).toEqual([
      expect.stringMatching(/^ {4}at Failing\.read \(.*mistakes\.test\.ts:\d+:\d+\)$/),
      expect.stringMatching(/^ {4}at .*mistakes\.test\.ts:\d+:\d+\)?$/),
    ]);
  });
});

describe('a guest that is accused again and again', () => {
  it('does not bury the failure below hundreds of lines', async () => {
    const rig = await startFakeRig({ plugins: [] });
    for (let time = 0; time < 300; time++) {
      rig.domain.bus.topic('EVT_ERRORDETECTED').publish({ atNs: time, kind: 'hang', cause: 'none' });
    }
    const { message } = await thrownBy(async () => expect(rig).not.toHaveDetected());
    expect(message).toContain('and there were 300');
    expect(message).toContain('  … and 295 more');
    expect(message).toContain('without the first ');
    expect(message.split('\n').length).toBeLessThan(60);
  });
});

describe('outside a test of vitest', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  beforeAll(() => {
    spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-b', `${root}packages/testing`]);
  }, 120_000);

  /** Runs a program with the built package. */
  function run(test: string): { readonly status: number | null; readonly said: string } {
    const program = `
      import 'reflect-metadata';
      import { test } from 'node:test';
      import { startFakeRig } from '@rmk/testing';
      test('a rig', async () => { ${test} });`;
    const args = ['--test-reporter=spec', '--input-type=module', '--eval', program];
    // What vitest sets is not for a program outside of it.
    const env = { ...process.env, VITEST: undefined, VITEST_WORKER_ID: undefined };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      encoding: 'utf8',
      env,
    });
    return { status, said: stdout + stderr };
  }

  it('the rig works under node:test and stops when it is disposed of', () => {
    const { status, said } = run(
      "const rig = await startFakeRig({ plugins: [] }); await rig.advance('5ms'); await rig.stop();",
    );
    expect(said).toContain('pass 1');
    expect(status).toBe(0);
  });

  it('a rig that nobody stops is reported', () => {
    const { status, said } = run(
      "const rig = await startFakeRig({ plugins: [] }); await rig.advance('5ms');",
    );
    expect(said).toContain('The rig of fake was not stopped');
    expect(status).toBe(1);
  });
});
