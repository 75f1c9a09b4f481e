import { array, assert, constantFrom, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommittedOutput } from '../src/checkpoint/committedOutput.js';
import { Epochs } from '../src/checkpoint/epochs.js';
import { QemuContext } from '../src/checkpoint/qemuContext.js';
import { QemuPageLog } from '../src/checkpoint/qemuPageLog.js';
import { CheckpointCosts } from '../src/control/checkpointCosts.js';
import type { CheckpointControl, ControlCheckpoint } from '../src/control/checkpointControl.js';

/** Keeps nothing but what was released, and one page for each log. */
class KeptHandles implements CheckpointControl {
  readonly kind = 'qmp';
  readonly tracker = 'userfaultfd-async';
  readonly released: string[] = [];

  checkpoint(): never {
    throw new Error('not of these tests');
  }

  rollback(): never {
    throw new Error('not of these tests');
  }

  async frames(log: number): Promise<Uint32Array> {
    return Uint32Array.of(log, log + 1, log + 2);
  }

  async page(log: number, frame: number): Promise<Uint8Array | undefined> {
    return frame === log ? Uint8Array.of(log) : undefined;
  }

  async verifyLog(log: number): Promise<Uint32Array> {
    return Uint32Array.of(log);
  }

  async verifyState(state: number): Promise<boolean> {
    return state % 2 === 0;
  }

  async stateStream(): Promise<Uint8Array> {
    return new Uint8Array(0);
  }

  releaseLog(log: number): void {
    this.released.push(`log ${log}`);
  }

  releaseState(state: number): void {
    this.released.push(`state ${state}`);
  }

  async write(): Promise<void> {}
  async memoryReplaced(): Promise<void> {}

  async newlyWrittenPages(): Promise<number> {
    return 0;
  }

  async onPause(): Promise<void> {}
  async setAudit(): Promise<void> {}
  async close(): Promise<void> {}
}

/** The checkpoint with these handles; `updated`: of the epoch that it ended. */
function taken(handle: number, updated?: readonly number[]): ControlCheckpoint {
  const closed =
    updated === undefined ? {} : { closed: { log: handle - 1, updated: Uint32Array.from(updated) } };
  return {
    state: handle,
    stateBytes: 100 + handle,
    log: handle,
    ...closed,
    atMonotonicNs: BigInt(handle),
    pauseNs: 10 * handle,
    stateNs: 1,
    pagesNs: 2,
    prePassPages: 3,
  };
}

const position = { guestNs: 5, output: new Map([['serial', 7]]) };

describe('The checkpoints of a VM in QEMU', () => {
  function started(): { readonly control: KeptHandles; readonly epochs: Epochs } {
    return { control: new KeptHandles(), epochs: new Epochs('web') };
  }

  it('report what the epoch between two of them came to: in the first one too, nothing is saved ahead', () => {
    const { control, epochs } = started();
    const first = epochs.checkpointed(control, taken(1), 100, position);
    expect([first.atNs, 'closed' in first, first.context.bytes]).toEqual([100, false, 101]);
    const second = epochs.checkpointed(control, taken(2, [4, 9]), 250, position);
    expect(second.closed).toEqual({
      openedAtNs: 100,
      closedAtNs: 250,
      updated: Uint32Array.of(4, 9),
      pageFaults: 0,
      pagesSaved: 2,
      pagesPreSaved: 0,
      preSavedInVain: 0,
      pauseHostNs: 10,
    });
    expect([first.log.pages, second.log.pages]).toEqual([2, 0]);
  });

  it('count the epochs', () => {
    const { control, epochs } = started();
    expect(epochs.epoch).toBe(0);
    epochs.checkpointed(control, taken(1), 0, position);
    epochs.checkpointed(control, taken(2, []), 1, position);
    expect(epochs.epoch).toBe(2);
  });

  it('are rolled back by the logs since the target, also after a rollback', () => {
    const { control, epochs } = started();
    const first = epochs.checkpointed(control, taken(1), 0, position);
    const second = epochs.checkpointed(control, taken(2, []), 1, position);
    const third = epochs.checkpointed(control, taken(3, []), 2, position);
    const path = epochs.path({ context: second.context, logs: [third.log, second.log] });
    expect([path.context.handle, path.logs.map(({ handle }) => handle)]).toEqual([2, [3, 2]]);

    // Back to the second: its predecessor is the first, not the third.
    const again = epochs.reopened(control, taken(4, []), 3, path.context, position);
    expect('closed' in again).toBe(false);
    const back = epochs.path({ context: first.context, logs: [again.log, first.log] });
    expect(back.logs.map(({ handle }) => handle)).toEqual([4, 1]);
    const refused = [again.log, second.log, first.log];
    expect(() => epochs.path({ context: first.context, logs: refused })).toThrow('RMK_ERR_RELEASED');
  });

  it('refuse logs and contexts that do not belong together', () => {
    const { control, epochs } = started();
    const other = new Epochs('db').checkpointed(control, taken(1), 0, position);
    const first = epochs.checkpointed(control, taken(1), 0, position);
    const second = epochs.checkpointed(control, taken(2, []), 1, position);
    const logs = [second.log, first.log];
    expect(() => epochs.path({ context: first.context, logs: [other.log] })).toThrow(
      'RMK_ERR_INPUT: the page log was not written by VM "web"',
    );
    expect(() => epochs.path({ context: second.context, logs })).toThrow(
      'RMK_ERR_INPUT: the context does not belong',
    );
    expect(() => epochs.path({ context: other.context, logs })).toThrow(
      'RMK_ERR_INPUT: the context does not belong',
    );
    first.context.release();
    expect(() => epochs.path({ context: first.context, logs })).toThrow(
      'RMK_ERR_RELEASED: the context was released',
    );
    first.log.release();
    expect(() => epochs.path({ context: first.context, logs })).toThrow('RMK_ERR_RELEASED: a rollback needs');
  });

  it('are released once, one handle each', () => {
    const { control, epochs } = started();
    const { context, log } = epochs.checkpointed(control, taken(1), 0, position);
    for (let time = 0; time < 2; time++) {
      log.release();
      context.release();
    }
    expect(control.released).toEqual(['log 1', 'state 1']);
  });

  it.each([
    [true, ['log 1', 'log 2', 'state 1', 'state 2']],
    [false, []],
  ])(
    'are all dropped with a reason, and released where the control keeps them still: %s',
    async (release, released) => {
      const { control, epochs } = started();
      const first = epochs.checkpointed(control, taken(1), 0, position);
      const second = epochs.checkpointed(control, taken(2, []), 1, position);
      epochs.drop('was lost', release);
      expect(control.released.toSorted()).toEqual(released);
      const why = release ? 'was released' : 'was lost';
      await expect(first.log.frames()).rejects.toThrow(
        `RMK_ERR_RELEASED: the page log ${why}; take a new checkpoint`,
      );
      await expect(second.context.verify()).rejects.toThrow(`RMK_ERR_RELEASED: the context ${why}`);
      for (const part of [first.log, second.context]) part.release();
      expect(control.released.toSorted()).toEqual(released);
      const next = epochs.checkpointed(control, taken(3, [1]), 9, position);
      expect(next.closed).toBeUndefined();
      expect(() => epochs.path({ context: second.context, logs: [next.log, second.log] })).toThrow(
        'RMK_ERR_RELEASED',
      );
    },
  );

  it('know their pages as far as they were asked for', async () => {
    const { control, epochs } = started();
    const { log, context } = epochs.checkpointed(control, taken(2), 0, position);
    expect(log.pages).toBe(0);
    expect(await log.frames()).toEqual(Uint32Array.of(2, 3, 4));
    expect(log.pages).toBe(3);
    expect(await log.read(2)).toEqual(Uint8Array.of(2));
    await expect(log.read(3)).rejects.toThrow('RMK_ERR_UNKNOWN: page frame 3 is not in the page log');
    expect(await log.verify()).toEqual(Uint32Array.of(2));
    expect(await context.verify()).toBe(true);
    log.release();
    for (const ask of [() => log.frames(), () => log.read(2), () => log.verify()]) {
      await expect(ask()).rejects.toThrow('RMK_ERR_RELEASED: the page log was released');
    }
  });

  it('keep no log alive that was released, for months of them', () => {
    const { control, epochs } = started();
    const { log, context } = epochs.checkpointed(control, taken(1), 0, position);
    expect(log).toBeInstanceOf(QemuPageLog);
    expect(context).toBeInstanceOf(QemuContext);
    const objects = Object.values(log).filter((value) => value instanceof QemuPageLog);
    expect(objects).toEqual([]);
  });
});

describe('Committed output', () => {
  it('is what the devices put out, without what rollbacks undid', () => {
    const step = record({
      device: constantFrom('serial', 'heartbeat'),
      bytes: nat(50),
      next: constantFrom('go on', 'save', 'roll back'),
    });
    assert(
      property(array(step), (steps) => {
        const devices = ['serial', 'heartbeat'].map((name) => ({ name, receivedBytes: 0 }));
        const output = new CommittedOutput(devices);
        const expected: Record<string, number> = { serial: 0, heartbeat: 0 };
        let saved = output.positions();
        for (const { device, bytes, next } of steps) {
          for (const one of devices) if (one.name === device) one.receivedBytes += bytes;
          expected[device] = (expected[device] ?? 0) + bytes;
          if (next === 'save') saved = output.positions();
          if (next === 'roll back') {
            const undone = Object.entries(expected).reduce(
              (sum, [name, at]) => sum + at - (saved.get(name) ?? 0),
              0,
            );
            expect(output.strikeSince(saved)).toBe(undone);
            for (const name of Object.keys(expected)) expected[name] = saved.get(name) ?? 0;
          }
          expect(Object.fromEntries(output.positions())).toEqual(expected);
        }
      }),
    );
  });

  it('of a device that the checkpoint does not know is all undone', () => {
    const output = new CommittedOutput([{ name: 'new', receivedBytes: 9 }]);
    expect(output.strikeSince(new Map())).toBe(9);
    expect(output.positions()).toEqual(new Map([['new', 0]]));
  });
});

describe('The costs of checkpoints', () => {
  it('are numbers, without pages and handles', () => {
    const costs = new CheckpointCosts();
    costs.addCheckpoint(taken(1));
    costs.addCheckpoint({ ...taken(2, [3, 4, 5]), audit: { ramDigest: 'abc' } });
    costs.addRollback({ ...taken(3, [6]), pagesRestored: 8, steps: [{ step: 'load', ns: 9 }] });
    const always = { stateNs: 1, pagesNs: 2, prePassPages: 3 };
    expect(costs.checkpoints).toEqual([
      { atMonotonicNs: 1n, pauseNs: 10, ...always, stateBytes: 101, pagesWritten: undefined },
      {
        atMonotonicNs: 2n,
        pauseNs: 20,
        ...always,
        stateBytes: 102,
        pagesWritten: 3,
        audit: { ramDigest: 'abc' },
      },
    ]);
    expect(costs.rollbacks).toEqual([
      {
        atMonotonicNs: 3n,
        pauseNs: 30,
        ...always,
        stateBytes: 103,
        pagesWritten: 1,
        pagesRestored: 8,
        steps: [{ step: 'load', ns: 9 }],
      },
    ]);
  });

  it('are kept of the last 10 000', () => {
    const costs = new CheckpointCosts();
    for (let handle = 1; handle <= 10_002; handle++) costs.addCheckpoint(taken(handle));
    expect([costs.checkpoints.length, costs.checkpoints[0]?.atMonotonicNs]).toEqual([10_000, 3n]);
  });
});
