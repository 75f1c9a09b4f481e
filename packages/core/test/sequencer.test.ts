import { setTimeout as wait } from 'node:timers/promises';
import { Sequencer } from '@rmk/core';
import { describe, expect, it } from 'vitest';

describe('a sequencer', () => {
  it('runs one operation at a time, in the order of the calls, and returns what each returned', async () => {
    const sequencer = new Sequencer();
    const steps: string[] = [];
    const operation = (name: string, ms: number) => async (): Promise<string> => {
      steps.push(`${name} begins`);
      await wait(ms);
      steps.push(`${name} ends`);
      return name;
    };
    const all = [
      sequencer.run(operation('slow', 20)),
      sequencer.run(operation('quick', 0)),
      sequencer.run(() => 'at once'),
    ];
    expect(steps).toEqual([]);
    expect(await Promise.all(all)).toEqual(['slow', 'quick', 'at once']);
    expect(steps).toEqual(['slow begins', 'slow ends', 'quick begins', 'quick ends']);
  });

  it('starts an operation at once on request if nothing is under way, and in its turn otherwise', async () => {
    const sequencer = new Sequencer();
    const steps: string[] = [];
    const operation = (name: string) => async (): Promise<string> => {
      steps.push(`${name} begins`);
      await wait(1);
      steps.push(`${name} ends`);
      return name;
    };
    let inner: Promise<string> | undefined;
    const first = sequencer.runAtOnce(async () => {
      steps.push('first begins');
      inner = sequencer.runAtOnce(operation('inner'));
      await wait(1);
      steps.push('first ends');
    });
    expect(steps).toEqual(['first begins']);
    const second = sequencer.runAtOnce(operation('second'));
    await first;
    expect([await inner, await second]).toEqual(['inner', 'second']);
    expect(steps).toEqual([
      'first begins',
      'first ends',
      'inner begins',
      'inner ends',
      'second begins',
      'second ends',
    ]);
    await sequencer.idle();
    const threw = sequencer.runAtOnce(() => {
      throw new Error('no');
    });
    await expect(threw).rejects.toThrow('no');
    await sequencer.idle();
    void sequencer.runAtOnce(operation('last'));
    expect(steps.at(-1)).toBe('last begins');
  });

  it('gives a failure to its caller alone, and goes on', async () => {
    const sequencer = new Sequencer();
    const failed = sequencer.run(() => Promise.reject(new Error('no')));
    const threw = sequencer.run(() => {
      throw new Error('neither');
    });
    const next = sequencer.run(async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    await expect(threw).rejects.toThrow('neither');
    expect(await next).toBe('yes');
  });

  it('is idle once all that it was given has settled, failures included', async () => {
    const sequencer = new Sequencer();
    let done = false;
    const failed = sequencer.run(() => wait(10).then(() => Promise.reject(new Error('no'))));
    void sequencer.run(() => wait(10).then(() => (done = true)));
    await sequencer.idle();
    expect(done).toBe(true);
    await expect(failed).rejects.toThrow('no');
  });
});
