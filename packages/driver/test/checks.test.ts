import * as fc from 'fast-check';
import { hasCode, MAX_CLUSTER_PAGES } from '@rmk/core';
import * as driver from '@rmk/driver';
import { checkDelay, checkInterval, checkLogChain, checkPlan, offsetIn, type EpochLink } from '@rmk/driver';
import { describe, expect, it } from 'vitest';

function codeOf(check: () => unknown): string {
  try {
    check();
    return 'ok';
  } catch (error) {
    if (hasCode(error)) return error.code;
    throw error;
  }
}

describe('a plan', () => {
  it('may ask for clusters of a power of two up to the largest', () => {
    const sizes = new Set(Array.from({ length: 10 }, (_, bit) => 2 ** bit));
    for (let clusterPages = -1; clusterPages <= 2 * MAX_CLUSTER_PAGES; clusterPages++) {
      const expected = sizes.has(clusterPages) ? 'ok' : 'RMK_ERR_INPUT';
      expect([clusterPages, codeOf(() => checkPlan({ preSave: 'none', clusterPages }, 64))]).toEqual([
        clusterPages,
        expected,
      ]);
    }
    for (const clusterPages of [0.5, 1.5, NaN, Infinity, 2 ** 32]) {
      expect(codeOf(() => checkPlan({ preSave: 'none', clusterPages }, 64))).toBe('RMK_ERR_INPUT');
    }
    expect(codeOf(() => checkPlan({ preSave: 'none' }, 64))).toBe('ok');
  });

  it('may add the pages that the VM has, and drop any', () => {
    const plan = (add: readonly number[]) => ({ preSave: 'none' as const, add: Uint32Array.from(add) });
    expect(codeOf(() => checkPlan(plan([0, 63]), 64))).toBe('ok');
    expect(() => checkPlan(plan([3, 64, 65]), 64)).toThrow(
      'RMK_ERR_ADDRESS: the plan adds page frame 64, but the VM has 64 pages (0 to 63)',
    );
    expect(codeOf(() => checkPlan({ preSave: 'none', drop: Uint32Array.of(900) }, 64))).toBe('ok');
  });
});

describe('the logs of a rollback', () => {
  /** A ring of epochs, of which some follow a rollback: their predecessor is not the epoch before. */
  const history = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }).map((branches) => {
    const logs: EpochLink[] = [];
    for (const [epoch, branches_] of branches.entries()) {
      const newest = logs.at(-1);
      const previousEpoch = branches_ ? newest?.previousEpoch : newest?.epoch;
      logs.push({ epoch, previousEpoch });
    }
    return logs;
  });

  const pathFrom = (logs: readonly EpochLink[]): readonly EpochLink[] => {
    const path: EpochLink[] = [];
    for (let log = logs.at(-1); log !== undefined;) {
      path.push(log);
      const { previousEpoch }: EpochLink = log;
      log = logs.find(({ epoch }) => epoch === previousEpoch);
    }
    return path;
  };

  it('are the open one and those before it: any beginning of that path will do', () => {
    fc.assert(
      fc.property(history, fc.nat(), (logs, length) => {
        const path = pathFrom(logs);
        const some = path.slice(0, 1 + (length % path.length));
        expect(codeOf(() => checkLogChain(some, logs.at(-1), () => true))).toBe('ok');
      }),
    );
  });

  it('are refused where one is missing, doubled, out of order, unusable, or not the open one first', () => {
    fc.assert(
      fc.property(history, fc.nat(), (logs, at) => {
        const path = pathFrom(logs);
        const index = at % path.length;
        const one = path[index];
        const open = logs.at(-1);
        const refused = (
          given: readonly EpochLink[],
          isUsable: (log: EpochLink) => boolean = () => true,
        ): void => expect(codeOf(() => checkLogChain(given, open, isUsable))).toBe('RMK_ERR_RELEASED');
        refused([]);
        refused(path, (log) => log !== one);
        refused([...path.slice(0, index + 1), ...path.slice(index)]);
        if (path.length > 1) refused(path.toReversed());
        if (index < path.length - 1) refused(path.toSpliced(index, 1));
        expect(codeOf(() => checkLogChain(path, undefined, () => true))).toBe('RMK_ERR_RELEASED');
      }),
    );
  });

  it('are held together by their epochs, not by being the same objects', () => {
    const open = { epoch: 4, previousEpoch: 2 };
    expect(codeOf(() => checkLogChain([open, { epoch: 2, previousEpoch: 1 }], open, () => true))).toBe('ok');
    expect(codeOf(() => checkLogChain([{ ...open }], open, () => true))).toBe('RMK_ERR_RELEASED');
  });
});

describe('an address range', () => {
  const ram = { begin: 0x8000_0000, bytes: 0x1000 };

  it('lies in the RAM with its first and its last byte', () => {
    expect(offsetIn(ram, 0x8000_0000, 0x1000, 'one')).toBe(0);
    expect(offsetIn(ram, 0x8000_0ffe, 2, 'one')).toBe(0xffe);
    expect(offsetIn(ram, 0x8000_1000, 0, 'one')).toBe(0x1000);
  });

  it.each([
    [0x7fff_ffff, 1],
    [0x8000_0fff, 2],
    [0x8000_1000, 1],
    [0x8000_0000, -1],
    [0x8000_0000 + 0.5, 1],
    [0x8000_0000, 1.5],
    [NaN, 1],
    [0x8000_0000, NaN],
  ])('is refused else: 0x%i, %i bytes', (address, bytes) => {
    expect(codeOf(() => offsetIn(ram, address, bytes, 'one'))).toBe('RMK_ERR_ADDRESS');
  });

  it('is refused with the RAM that there is', () => {
    expect(() => offsetIn(ram, 0x10, 4, 'one')).toThrow(
      'RMK_ERR_ADDRESS: 4 bytes at 0x10 do not lie in the RAM of VM "one" (0x80000000 to 0x80000fff)',
    );
  });
});

describe('the delays of timers', () => {
  it('are finite and not negative', () => {
    expect([0, 1e-9, 5].map((ns) => codeOf(() => checkDelay(ns)))).toEqual(['ok', 'ok', 'ok']);
    for (const ns of [-1, NaN, Infinity]) expect(codeOf(() => checkDelay(ns))).toBe('RMK_ERR_INPUT');
  });

  it('are at least as long as the clock can tell apart where they repeat', () => {
    expect(codeOf(() => checkInterval(10, 10, 'one cycle'))).toBe('ok');
    for (const ns of [9.99, 1e-9, 0, -1, NaN, Infinity]) {
      expect(codeOf(() => checkInterval(ns, 10, 'one cycle'))).toBe('RMK_ERR_INPUT');
    }
    expect(() => checkInterval(9, 10, 'one cycle')).toThrow(
      "RMK_ERR_INPUT: a timer's interval is 9 ns, expected at least 10 ns (one cycle)",
    );
  });
});

describe('errors of a VM', () => {
  it.each([
    [driver.closedError('a'), 'RMK_ERR_STATE: VM "a" has been closed; create a new one'],
    [driver.runningError('a'), 'RMK_ERR_STATE: VM "a" is running; suspend it before the rollback'],
    [driver.offError('a'), 'RMK_ERR_STATE: VM "a" is off; restart it or roll it back first'],
    [
      driver.unknownNameError('a', 'register', 'x', ['pc', 'sp']),
      'RMK_ERR_UNKNOWN: VM "a" has no register "x"; it has pc, sp',
    ],
    [
      driver.unknownNameError('a', 'device', 'x', []),
      'RMK_ERR_UNKNOWN: VM "a" has no device "x"; it has none',
    ],
    [driver.foreignLogError('a'), 'RMK_ERR_INPUT: the page log was not written by VM "a"'],
    [
      driver.foreignContextError(),
      'RMK_ERR_INPUT: the context does not belong to the oldest of the page logs; pass both as one checkpoint returned them',
    ],
    [
      driver.damagedContextError(),
      'RMK_ERR_LOGDAMAGED: the saved context fails its checksum; nothing was changed: roll back to another checkpoint, or restart',
    ],
    [
      driver.damagedPagesError([3, 7]),
      'RMK_ERR_LOGDAMAGED: the saved contents of page frames 3, 7 fail their checksum, and no older log within the ' +
        'rollback holds them; nothing was changed: roll back to a newer checkpoint, or restart',
    ],
    [driver.absentFrameError(9), 'RMK_ERR_UNKNOWN: page frame 9 is not in the page log'],
  ])('say what is wrong and how to fix it: %s', (error, text) => {
    expect(error.message).toBe(text);
  });
});
