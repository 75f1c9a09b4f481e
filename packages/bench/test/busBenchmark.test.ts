import { describe, expect, it } from 'vitest';
import { busBenchmark, EMITTER_NAMES, LISTENER_COUNTS } from '../src/busBenchmark.js';
import { EMITTERS } from '../src/emitters.js';
import { compileLoad } from '../src/load.js';
import { spreadOf } from '../src/spread.js';
import { busCommand } from '../src/busCommand.js';

/** Enough to see that it works. */
const FEW = ['--rounds', '3', '--events', '20'];

/** Runs the command and returns what it printed. */
async function run(args: readonly string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const printed = { exitCode: 2, out: '', err: '' };
  const output = {
    out: (text: string) => void (printed.out += text),
    err: (text: string) => void (printed.err += text),
  };
  const command = busCommand(output, (exitCode) => void (printed.exitCode = exitCode)).exitOverride();
  await command.parseAsync(args, { from: 'user' }).catch(() => {});
  return printed;
}

describe('bench:bus', () => {
  it('gives the nanoseconds of an event for each emitter and number of listeners as JSON', async () => {
    const { exitCode, out, err } = await run(['--json', ...FEW]);
    expect(exitCode).toBe(0);
    const counts = {
      0: expect.any(Number),
      1: expect.any(Number),
      4: expect.any(Number),
      16: expect.any(Number),
    };
    const { nsPerEmit, ...more } = JSON.parse(out) as { readonly nsPerEmit: object };
    expect(nsPerEmit).toEqual({
      rmk: counts,
      eventemitter3: counts,
      'node:events': counts,
      mitt: counts,
      nanoevents: counts,
      emittery: counts,
    });
    expect(more).toMatchObject({ wrong: [], rounds: 3, eventsPerRound: 20, node: process.versions.node });
    expect(err).toContain('Round 3 of 3');
  });

  it('shows a table and bars to people', async () => {
    const { exitCode, out } = await run(FEW);
    expect(exitCode).toBe(0);
    for (const name of EMITTER_NAMES) expect(out).toMatch(new RegExp(`│ ${name} +│ [\\d.]+ \\(`));
    expect(out).toMatch(/ {2}eventemitter3 █+ [\d.]+ ns/);
  });

  it.each([
    ['no rounds', ['--rounds', '0']],
    ['events that are no number', ['--events', 'many']],
  ])('rejects %s', async (_what, args) => {
    const { exitCode, out, err } = await run(args);
    expect(exitCode).toBe(2);
    expect(err).toContain('whole number of 1 or more');
    expect(out).toBe('');
  });
});

describe('the benchmark of the bus', () => {
  it('compares each emitter with eventemitter3 in the same round', async () => {
    const { ratio, nsPerEmit } = await busBenchmark({ rounds: 3, eventsPerRound: 20, seed: 1 }, () => {});
    for (const listeners of LISTENER_COUNTS) {
      expect(ratio.eventemitter3[listeners]).toEqual({ median: 1, low: 1, high: 1 });
      expect(nsPerEmit.rmk[listeners].median).toBeGreaterThan(0);
    }
  });

  it('says who loses events', async () => {
    const lossy = ((listeners) => ({
      emit(event) {
        if (event.atNs % 7 !== 0) for (const listener of listeners) listener(event);
      },
    })) satisfies typeof EMITTERS.mitt;
    const few = { rounds: 1, eventsPerRound: 20, seed: 1 };
    const { wrong } = await busBenchmark(few, () => {}, { ...EMITTERS, mitt: lossy });
    expect(wrong).toEqual([1, 4, 16].map((listeners) => ({ emitter: 'mitt', listeners })));
  });

  it.each(EMITTER_NAMES)('has %s deliver every event to every listener', async (name) => {
    const load = compileLoad();
    const { emit, emitAwaited, close } = await EMITTERS[name](load.listeners);
    const expected = compileLoad();
    expected.publish((event) => {
      for (const listener of expected.listeners) listener(event);
    }, 50);
    if (emit === undefined) await load.publishAwaiting(emitAwaited, 50);
    else load.publish(emit, 50);
    expect(load.results).toEqual(expected.results);
    await close?.();
  });
});

describe('the load', () => {
  const resultsAfter = (events: number, ...called: readonly number[]): string => {
    const load = compileLoad();
    load.publish((event) => called.forEach((index) => load.listeners[index]?.(event)), events);
    return load.results.join();
  };

  it.each(Array.from({ length: 16 }, (_, index) => index))(
    'notices whether listener %i was called',
    (index) => {
      expect(resultsAfter(50, index)).not.toBe(resultsAfter(0, index));
    },
  );

  it('has as many different bodies as listeners', () => {
    const bodies = compileLoad().listeners.map((listener) => listener.toString());
    expect(new Set(bodies).size).toBe(16);
  });
});

describe('a spread', () => {
  it('is the median and the quartiles', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ low: 2, median: 3, high: 4 });
  });
});
