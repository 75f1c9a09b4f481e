import { join } from 'node:path';
import { hasCode, RmkError } from '@rmk/core';
import { z } from 'zod';
import type { QmpEvent } from '../qmp/qmpClient.js';
import { runJob } from '../qmp/qmpJob.js';
import { resetMachine } from '../qmp/resetMachine.js';
import { needsReset, queryRunState } from '../qmp/runState.js';
import type {
  ControlEvents,
  ControlOptions,
  ControlRollback,
  ControlCheckpoint,
  LogHandle,
  StateHandle,
} from './checkpointControl.js';
import type { ControlTarget } from './controlTarget.js';
import type { LibraryConnection, QmpCommands } from './libraryConnection.js';
import { LibraryControl } from './libraryControl.js';
import { encodeSnapshot, KIND } from './libraryProtocol.js';
import { snapshotClusters } from './snapshotClusters.js';

/** As in native/qmp/snapshotFile.h, since the library completes a rollback by itself if RMK dies in the middle. */
const NODE = 'rmk-state';
const TAG = 'rmk';
const FILE = 'device-state.qcow2';
/** Of the disk that the snapshot is one of; its device state lies behind the end. */
const DISK_BYTES = 1 << 20;

const nodes = z.array(z.object({ 'node-name': z.string().optional(), file: z.string() }));

/**
 * RMK controls QEMU by QMP, and the library in it only works on RAM, with the kernel's write protection: slower than
 * calls within QEMU, and independent of how QEMU is built. QEMU needs `-global migration.send-configuration=off`.
 */
export class QmpControl extends LibraryControl {
  readonly kind = 'qmp';
  readonly tracker = 'userfaultfd-async';

  /** Throws `RMK_ERR_HYPERVISOR` if kernel or QEMU lacks something, with the reason; `RMK_ERR_MEMORY` without room. */
  static async open(
    target: ControlTarget,
    options: ControlOptions,
    events: ControlEvents,
  ): Promise<QmpControl> {
    const { connection, settings } = await LibraryControl.start(
      'qmp',
      target,
      options,
      events,
      () => undefined,
    );
    try {
      connection.setQmpCommands(qmpCommandsOf(target));
      await prepareSnapshot(target, connection);
      return new QmpControl(connection, settings, target);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** The pause is the time between QEMU's events STOP and RESUME. */
  override async checkpoint(): Promise<ControlCheckpoint> {
    const events: QmpEvent[] = [];
    const listener = this.target.qmp.onEvent((event) => events.push(event));
    try {
      const checkpoint = await super.checkpoint();
      const stoppedNs = timeNs(events, 'STOP');
      const resumedNs = timeNs(events, 'RESUME');
      if (stoppedNs === undefined || resumedNs === undefined) return checkpoint;
      return { ...checkpoint, pauseNs: Math.max(checkpoint.pauseNs, resumedNs - stoppedNs) };
    } finally {
      listener[Symbol.dispose]();
    }
  }

  override async rollback(state: StateHandle, logs: readonly LogHandle[]): Promise<ControlRollback> {
    const { qmp } = this.target;
    const { running } = await queryRunState(qmp);
    const startedNs = process.hrtime.bigint();
    if (running) await qmp.execute('stop');
    const stoppedNs = process.hrtime.bigint();
    try {
      const back = await super.rollback(state, logs);
      const stop = { step: 'stop', ns: Number(stoppedNs - startedNs) };
      return {
        ...back,
        pauseNs: back.pauseNs + stop.ns,
        steps: [stop, ...back.steps.filter(({ step }) => step !== 'stop')],
      };
    } catch (error) {
      const intact = hasCode(error) && !hasCode(error, 'RMK_ERR_HYPERVISOR', 'RMK_ERR_GONE');
      if (running && intact) await qmp.execute('cont');
      throw error;
    }
  }

  override async write(address: number, data: Uint8Array): Promise<void> {
    if (this.target.writeMemory === undefined) {
      throw new RmkError(
        'RMK_ERR_CAPABILITY',
        'writing memory under control by QMP needs a gdb stub of QEMU (-gdb)',
      );
    }
    await this.target.writeMemory(address, data);
  }
}

/** How this QEMU saves and loads its device state. */
export function qmpCommandsOf({ qmp }: ControlTarget): QmpCommands {
  return {
    save: async (filename) => {
      await qmp.execute('xen-save-devices-state', { filename, live: false });
    },
    load: async () => {
      // After the library has verified everything. Loading leaves the run state as it is.
      if (needsReset(await queryRunState(qmp))) await resetMachine(qmp);
      await runJob(qmp, 'snapshot-load', 'rmk-load', { tag: TAG, vmstate: NODE, devices: [NODE] });
    },
  };
}

function timeNs(events: readonly QmpEvent[], name: string): number | undefined {
  const timestamp = events.find(({ event }) => event === name)?.timestamp;
  return timestamp === undefined ? undefined : timestamp.seconds * 1e9 + timestamp.microseconds * 1e3;
}

/** A small qcow2 file with a snapshot, whose device state is overwritten with what is to be loaded. */
async function prepareSnapshot(target: ControlTarget, connection: LibraryConnection): Promise<void> {
  const { qmp } = target;
  const path = await snapshotNode(target);
  let clusters = await snapshotClusters(path);
  if (clusters === undefined) {
    // RAM is shared and stays where it is; without this the snapshot would hold all of it.
    const capabilities = [{ capability: 'x-ignore-shared', state: true }];
    await qmp.execute('migrate-set-capabilities', { capabilities });
    await runJob(qmp, 'snapshot-save', 'rmk-save', { tag: TAG, vmstate: NODE, devices: [NODE] });
    clusters = await snapshotClusters(path);
  }
  if (clusters === undefined) throw new RmkError('RMK_ERR_HYPERVISOR', `QEMU saved no snapshot into ${path}`);
  const payload = encodeSnapshot(clusters, path, target.spareQmpSocket ?? qmp.path);
  await connection.request(KIND.snapshot, payload);
}

/** The path of the file behind the node, which exists already if another RMK protected this QEMU before. */
async function snapshotNode({ qmp, folder }: ControlTarget): Promise<string> {
  const path = join(folder, FILE);
  const known = (await qmp.query('query-named-block-nodes', nodes)).find(
    (node) => node['node-name'] === NODE,
  );
  if (known !== undefined) return path;
  const file = `${NODE}-file`;
  await runJob(qmp, 'blockdev-create', 'rmk-create-file', {
    options: { driver: 'file', filename: path, size: 0 },
  });
  await qmp.execute('blockdev-add', { driver: 'file', 'node-name': file, filename: path });
  await runJob(qmp, 'blockdev-create', 'rmk-create', {
    options: { driver: 'qcow2', file, size: DISK_BYTES },
  });
  await qmp.execute('blockdev-add', { driver: 'qcow2', 'node-name': NODE, file });
  return path;
}
