import {
  CHECKPOINTS,
  definePlugin,
  P_VCPU,
  type Checkpoint,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type Plugin,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { startRig, type Rig, type RigOptions } from '@rmk/testing';
import { checkpoint } from '../src/plugin.js';

export const MS = 1e6;

// The heap of this guest grows upwards from its program, so it does with less memory than it may use.
export const guest = { guest: 'tasks', machine: { memoryBytes: 2 * 1024 * 1024 } } as const;

type Setting = Partial<Omit<RigOptions, 'guest' | 'machine'>> & {
  readonly agent?: Parameters<typeof checkpoint>[0];
  readonly algorithms?: readonly Plugin[];
  readonly logPages?: number;
};

export interface Protected {
  readonly rig: Rig;
  readonly checkpoints: Checkpoints;
}

/** A guest under pins, agent and COWB, with a checkpoint each 5 ms. */
export async function start({
  agent,
  algorithms = [cowb()],
  plugins = [],
  logPages,
  ...others
}: Setting = {}): Promise<Protected> {
  const rig = await startRig({
    guest: guest.guest,
    machine: { ...guest.machine, ...(logPages === undefined ? {} : { logPages }) },
    plugins: [
      pinVcpu(),
      ...(plugins.length > 0 ? plugins : [pinPtable()]),
      checkpoint({ interval: '5ms', ...agent }),
      ...algorithms,
    ],
    ...others,
  });
  return { rig, checkpoints: rig.domain.get(CHECKPOINTS) };
}

export const takenMs = (checkpoints: Checkpoints): readonly number[] =>
  checkpoints.retained.map(({ takenAtNs }) => takenAtNs / MS);

export const eventsMs = (
  rig: Rig,
  name: 'EVT_CHECKPOINTED' | 'EVT_PROTECTIONLOST' | 'EVT_PROTECTIONRESTORED',
): readonly number[] => rig.events(name).map(({ atNs }) => atNs / MS);

export function retainedAt({ retained }: Checkpoints, age: number): Checkpoint {
  const found = retained[age];
  if (found === undefined) throw new Error(`no checkpoint of age ${age} is retained`);
  return found;
}

export async function rollBack({ rig, checkpoints }: Protected, age: number) {
  const vcpu = rig.domain.get(P_VCPU);
  const suspension = await vcpu.suspend();
  const rollback = await checkpoints.rollback(retainedAt(checkpoints, age));
  await vcpu.resume(suspension);
  return rollback;
}

/** A detector that promises to be no slower than this, and never detects anything. */
export function detector(boundNs: number, name = 'rmk-plugin-detector'): Plugin {
  return definePlugin({
    name,
    version: '1.0.0',
    rmk: '^0.2.0',
    detects: () => [{ kind: 'test', boundNs }],
  })();
}

/** An algorithm that fails on request, and counts its calls. */
export class Algorithm implements CheckpointAlgorithm {
  failing = false;
  readonly histories: number[] = [];

  constructor(
    readonly name: string,
    private readonly epochPlan: EpochPlan = { preSave: 'none' },
  ) {}

  plan(history: readonly unknown[]): EpochPlan {
    if (this.failing) throw new Error(`${this.name} fails`);
    this.histories.push(history.length);
    return this.epochPlan;
  }
}
