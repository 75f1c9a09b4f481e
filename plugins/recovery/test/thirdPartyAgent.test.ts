import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  definePlugin,
  provide,
  RmkError,
  type Bus,
  type Checkpoint,
  type Checkpoints,
  type Clock,
  type Module,
  type Plugin,
  type RecoveryRecord,
  type Rollback,
} from '@rmk/core';
import { startFakeRig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { recovery } from '../src/index.js';

const MS = 1e6;

/** How a rollback to the checkpoint of this time ends. */
type Ending = 'done' | 'damaged' | 'refused';

/** An agent of somebody else, with checkpoints whose rollbacks end as given: by time, newest first. */
function agent(endings: readonly (readonly [ms: number, ending: Ending])[]): Plugin {
  @injectable()
  class Agent implements Checkpoints {
    readonly retain = endings.length;
    readonly intervalNs = 50 * MS;
    readonly retained: readonly Checkpoint[] = endings.map(([ms]) => ({
      takenAtNs: ms * MS,
      origin: 'interval',
    }));

    use(): Disposable {
      return { [Symbol.dispose]: () => {} };
    }

    take(): Promise<never> {
      return Promise.reject(new RmkError('RMK_ERR_UNPROTECTED', 'it takes none'));
    }

    rollback(to: Checkpoint): Promise<Rollback> {
      const [, ending] = endings.find(([ms]) => ms * MS === to.takenAtNs) ?? [];
      if (ending === 'damaged') return Promise.reject(new RmkError('RMK_ERR_LOGDAMAGED', 'damaged'));
      if (ending === 'refused') return Promise.reject(new Error('refused'));
      return Promise.resolve({ pagesRestored: 1, undoneNs: 0, outputStruckBytes: 0, reopened: to });
    }
  }
  return definePlugin({
    name: 'rmk-plugin-agent',
    version: '1.0.0',
    rmk: '*',
    provides: [provide(CHECKPOINTS, Agent)],
  })();
}

/** Reports a hang at `atMs`, of which it knows no more than the bound. */
function detector(name: string, boundMs: number, atMs: number): Plugin {
  @injectable()
  class Detector implements Module {
    constructor(
      @inject(BUS) private readonly bus: Bus,
      @inject(CLOCK) private readonly clock: Clock,
    ) {}

    start(): void {
      const topic = this.bus.topic('EVT_ERRORDETECTED');
      this.clock.after(atMs * MS, () =>
        topic.publish({ atNs: this.clock.now(), kind: 'hang', cause: 'stuck' }),
      );
    }
  }
  return definePlugin({
    name,
    version: '1.0.0',
    rmk: '*',
    modules: [Detector],
    detects: () => [{ kind: 'hang', boundNs: boundMs * MS }],
  })();
}

async function recordOf(
  plugins: readonly Plugin[],
  detected: { readonly suspectSinceNs?: number },
): Promise<RecoveryRecord | undefined> {
  const rig = await startFakeRig({ plugins: [...plugins, recovery()] });
  await rig.advance('300ms');
  const topic = rig.domain.bus.topic('EVT_ERRORDETECTED');
  topic.publish({ atNs: rig.nowNs, kind: 'hang', cause: 'stuck', ...detected });
  await rig.advance('1ms');
  const [recovered] = rig.events('EVT_RECOVERED');
  await rig.stop();
  return recovered?.record;
}

describe('the rungs of an agent of somebody else', () => {
  const rungs = async (...endings: readonly (readonly [ms: number, ending: Ending])[]) =>
    (await recordOf([agent(endings)], { suspectSinceNs: 210 * MS }))?.attempts.map(({ rung }) => rung);

  it('include newer checkpoints after damage, whatever bars the older ones after it', async () => {
    expect(await rungs([250, 'done'], [200, 'damaged'], [150, 'refused'])).toEqual([
      'target',
      'older',
      'newer',
    ]);
    expect(await rungs([250, 'done'], [200, 'refused'], [150, 'damaged'])).toEqual([
      'target',
      'older',
      'newer',
    ]);
  });

  it('include none without damage', async () => {
    expect(await rungs([250, 'done'], [200, 'refused'], [150, 'refused'])).toEqual([
      'target',
      'older',
      'restart',
    ]);
  });

  it('end where every checkpoint is barred', async () => {
    expect(await rungs([270, 'refused'], [250, 'damaged'], [200, 'damaged'])).toEqual([
      'target',
      'newer',
      'newer',
      'restart',
    ]);
  });
});

it.each([
  { reporter: 'quick', boundMs: 20, target: 250 },
  { reporter: 'slow', boundMs: 150, target: 100 },
])(
  'the latency of an error is what its own detector declares, not another one of the same kind: $reporter',
  async ({ reporter, boundMs, target }) => {
    const at = (name: string): number => (name === reporter ? 300 : 9000);
    const ring = agent([
      [290, 'done'],
      [250, 'done'],
      [100, 'done'],
    ]);
    const detectors = [detector('quick', 20, at('quick')), detector('slow', 150, at('slow'))];
    const rig = await startFakeRig({ plugins: [ring, ...detectors, recovery()] });
    await rig.advance('301ms');
    expect(rig.events('EVT_RECOVERED')).toMatchObject([
      { record: { trigger: { latency: { boundNs: boundMs * MS } }, checkpoint: { takenAtNs: target * MS } } },
    ]);
    await rig.stop();
  },
);
