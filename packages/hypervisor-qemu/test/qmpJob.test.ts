import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AwaitedEvent } from '../src/qmp/awaitedEvent.js';
import { QmpClient } from '../src/qmp/qmpClient.js';
import { runJob } from '../src/qmp/qmpJob.js';
import { resetMachine } from '../src/qmp/resetMachine.js';
import { needsReset, queryRunState } from '../src/qmp/runState.js';
import { temporaryFolder } from './temporaryFolder.js';

type Respond = (
  command: string,
  args: Readonly<Record<string, unknown>>,
  send: (line: unknown) => void,
) => unknown;

/** A client of a peer that responds to each command with what `respond` returns; and the commands that came. */
async function connected(
  respond: Respond,
): Promise<{ readonly qmp: QmpClient; readonly commands: string[]; readonly sockets: Socket[] }> {
  const path = join(await temporaryFolder(), 'qmp');
  const commands: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    const send = (line: unknown): void => void socket.write(`${JSON.stringify(line)}\n`);
    send({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 }, package: '' } } });
    socket.on('data', (data) => {
      for (const line of data.toString().trim().split('\n')) {
        const {
          execute,
          arguments: args,
          id,
        } = JSON.parse(line) as {
          execute: string;
          arguments: Record<string, unknown>;
          id: number;
        };
        if (execute !== 'qmp_capabilities') commands.push(execute);
        send({ return: (execute === 'qmp_capabilities' ? {} : respond(execute, args, send)) ?? {}, id });
      }
    });
  }).listen(path);
  const qmp = await QmpClient.connect(path, { timeoutMs: 2000 });
  onTestFinished(() => {
    qmp.close();
    server.close();
  });
  return { qmp, commands, sockets };
}

const status = (id: unknown, name: string) => ({ event: 'JOB_STATUS_CHANGE', data: { id, status: name } });

describe('A job of QEMU', () => {
  it('is over once it is concluded, and is dismissed then', async () => {
    const { qmp, commands } = await connected((command, args, send) => {
      if (command !== 'snapshot-load') return;
      expect(args).toEqual({ tag: 'rmk', 'job-id': 'rmk-load' });
      send(status('another', 'aborting'));
      send(status('another', 'concluded'));
      send({ event: 'STOP' });
      send(status('rmk-load', 'running'));
      send(status('rmk-load', 'concluded'));
    });
    await runJob(qmp, 'snapshot-load', 'rmk-load', { tag: 'rmk' });
    await queryRunState(qmp).catch(() => undefined);
    expect(commands).toEqual(['snapshot-load', 'job-dismiss', 'query-status']);
  });

  it('fails with its reason where it was aborted', async () => {
    const { qmp, commands } = await connected((command, _, send) => {
      if (command === 'query-jobs') {
        return [
          { id: 'another', status: 'concluded', error: 'not this one' },
          { id: 'rmk-load', status: 'concluded', error: 'no such snapshot' },
        ];
      }
      if (command !== 'snapshot-load') return {};
      send(status('rmk-load', 'aborting'));
      send(status('rmk-load', 'concluded'));
      return {};
    });
    await expect(runJob(qmp, 'snapshot-load', 'rmk-load', {})).rejects.toThrow(
      /^RMK_ERR_HYPERVISOR: .*snapshot-load.*no such snapshot$/,
    );
    expect(commands).toEqual(['snapshot-load', 'query-jobs', 'job-dismiss']);
  });

  it('is lost with QEMU', async () => {
    const { qmp, sockets } = await connected(() => {
      setTimeout(() => sockets[0]?.destroy(), 10);
    });
    await expect(runJob(qmp, 'snapshot-load', 'rmk-load', {})).rejects.toMatchObject({
      code: 'RMK_ERR_GONE',
    });
  });
});

describe('An awaited event', () => {
  it('is the first that matches, and is listened for until it is disposed', async () => {
    const { qmp } = await connected((command, _, send) => {
      send({ event: command });
    });
    const seen: string[] = [];
    const awaited = new AwaitedEvent(qmp, 'stop', 2000, ({ event }) => seen.push(event) > 1);
    await qmp.execute('one');
    await qmp.execute('two');
    await awaited.arrived;
    awaited[Symbol.dispose]();
    await qmp.execute('three');
    expect(seen).toEqual(['one', 'two']);
  });

  it('is late after its timeout', async () => {
    const { qmp } = await connected(() => undefined);
    using awaited = new AwaitedEvent(qmp, 'stop', 10, () => true);
    await expect(awaited.arrived).rejects.toThrow('RMK_ERR_TIMEOUT: QEMU did not stop within 10 ms');
  });
});

describe('The run state of QEMU', () => {
  it('says whether the VM runs, and whether it needs a reset before it can', async () => {
    const { qmp } = await connected(() => ({ running: false, status: 'guest-panicked', singlestep: false }));
    const state = await queryRunState(qmp);
    expect(state).toEqual({ running: false, status: 'guest-panicked' });
    const states = [
      'running',
      'paused',
      'guest-panicked',
      'shutdown',
      'internal-error',
      'suspended',
      'prelaunch',
    ];
    expect(states.filter((name) => needsReset({ running: false, status: name }))).toEqual([
      'shutdown',
      'internal-error',
      'suspended',
    ]);
  });

  it('is reset once QEMU reports it', async () => {
    let reset = false;
    const { qmp, commands } = await connected((_, __, send) => {
      send({ event: 'RESUME' });
      setTimeout(() => {
        reset = true;
        send({ event: 'RESET', data: { guest: false } });
      }, 20);
    });
    await resetMachine(qmp);
    expect([reset, commands]).toEqual([true, ['system_reset']]);
  });
});
