import 'reflect-metadata';
import {
  CHECKPOINTS,
  definePlugin,
  provide,
  RmkError,
  type Checkpoint,
  type CheckpointAlgorithm,
  type Checkpoints,
  type Plugin,
  type Rollback,
} from '@rmk/core';
import { startRig } from '../../rig.js';
import { allPins } from '../allPins.js';

/** The algorithm itself, as the plugin contributes it to an agent that takes no checkpoints. */
export async function algorithmOf(plugin: Plugin): Promise<CheckpointAlgorithm> {
  const contributed: CheckpointAlgorithm[] = [];

  class ListeningAgent implements Checkpoints {
    readonly retained: readonly Checkpoint[] = [];
    readonly retain = 2;
    readonly intervalNs = 50e6;

    use(algorithm: CheckpointAlgorithm): Disposable {
      contributed.push(algorithm);
      return { [Symbol.dispose]: () => undefined };
    }

    take(): Promise<Checkpoint> {
      return Promise.reject(new RmkError('RMK_ERR_UNPROTECTED', 'this agent takes no checkpoints'));
    }

    rollback(): Promise<Rollback> {
      return Promise.reject(new RmkError('RMK_ERR_UNPROTECTED', 'this agent has no checkpoints'));
    }
  }

  const listeningAgent = definePlugin({
    name: 'rmk-plugin-listening-agent',
    version: '1.0.0',
    rmk: '^0.2.0',
    provides: [provide(CHECKPOINTS, ListeningAgent)],
  });
  await startRig({ guest: 'tasks', plugins: [...allPins(plugin), listeningAgent(), plugin] });
  const [algorithm] = contributed;
  if (algorithm !== undefined && contributed.length === 1) return algorithm;
  throw new RmkError(
    'RMK_ERR_STATE',
    `${plugin.definition.name} contributes ${contributed.length} algorithms when it starts, expected one: call use() of CHECKPOINTS`,
  );
}
