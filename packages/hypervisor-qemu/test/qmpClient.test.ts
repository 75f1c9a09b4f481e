import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { QmpClient, type QmpEvent } from '@rmk/hypervisor-qemu';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { describeQemu, QEMU } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": []}}';

/** A peer that is no QEMU: `serve` gets each connection, and `lines` what came over it. */
async function peer(serve: (socket: Socket) => void): Promise<string> {
  const path = `${await temporaryFolder()}/qmp`;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}

/** Greets as QEMU does, agrees to the capabilities, and hands every later command to `serve`. */
function greets(serve: (socket: Socket, id: number) => void): (socket: Socket) => void {
  return (socket) => {
    socket.write(`${GREETING}\r\n`);
    let rest = '';
    socket.setEncoding('utf8').on('data', (piece: string) => {
      rest += piece;
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { execute, id } = JSON.parse(line) as { execute: string; id: number };
        if (execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${id}}\r\n`);
        else serve(socket, id);
      }
    });
  };
}

async function connected(
  serve: (socket: Socket, id: number) => void,
  whyLost?: () => string,
): Promise<QmpClient> {
  const client = await QmpClient.connect(await peer(greets(serve)), whyLost === undefined ? {} : { whyLost });
  onTestFinished(() => client.close());
  return client;
}

describe('QmpClient and a peer that is not to be trusted', () => {
  it('gives each command its own answer, and events in between to whoever listens', async () => {
    const client = await connected((socket, id) => {
      socket.write(`{"event": "STOP", "timestamp": {}}\r\n{"return": {"asked": ${id}}, "id": ${id}}\r\n`);
    });
    const events: QmpEvent[] = [];
    client.onEvent((event) => events.push(event));
    const answers = await Promise.all([client.execute('one'), client.execute('two')]);
    expect(answers).toEqual([{ asked: 3 }, { asked: 4 }]);
    expect(events).toEqual([
      { event: 'STOP', data: {} },
      { event: 'STOP', data: {} },
    ]);
    expect(client.version).toEqual({ major: 7, minor: 2, micro: 22, package: 'Debian' });
  });

  it('reads answers that come in pieces, cut inside a character', async () => {
    const client = await connected((socket, id) => {
      const bytes = Buffer.from(`{"return": "höher", "id": ${id}}\n`);
      const cut = bytes.indexOf(0xc3) + 1;
      socket.write(bytes.subarray(0, cut));
      setTimeout(() => socket.write(bytes.subarray(cut)), 5);
    });
    await expect(client.execute('x')).resolves.toBe('höher');
  });

  it('says what QEMU refused', async () => {
    const client = await connected((socket, id) => {
      socket.write(`{"error": {"class": "GenericError", "desc": "no such device"}, "id": ${id}}\n`);
    });
    await expect(client.execute('eject')).rejects.toMatchObject({
      code: 'RMK_ERR_HYPERVISOR',
      message: expect.stringContaining('QEMU refuses eject: no such device') as string,
    });
  });

  it('refuses an answer of another shape', async () => {
    const client = await connected((socket, id) => socket.write(`{"return": {"status": 3}, "id": ${id}}\n`));
    const shape = z.object({ status: z.string() });
    await expect(client.query('query-status', shape)).rejects.toMatchObject({ code: 'RMK_ERR_HYPERVISOR' });
  });

  it('never waits forever: a late answer belongs to nobody, and the next command gets its own', async () => {
    let first: number | undefined;
    const client = await connected((socket, id) => {
      if (first === undefined) first = id;
      else socket.write(`{"return": "late", "id": ${first}}\n{"return": "mine", "id": ${id}}\n`);
    });
    await expect(client.execute('stop', {}, 20)).rejects.toMatchObject({ code: 'RMK_ERR_TIMEOUT' });
    await expect(client.execute('cont')).resolves.toBe('mine');
  });

  it('rejects all that is pending when the peer goes, with what is known about it', async () => {
    const client = await connected(
      (socket) => socket.destroy(),
      () => 'QEMU said: out of memory',
    );
    const lost = new Promise((resolve) => client.onLost(resolve));
    const pending = await Promise.allSettled([client.execute('a'), client.execute('b')]);
    const reason: unknown = expect.objectContaining({
      code: 'RMK_ERR_GONE',
      message: expect.stringContaining('QEMU said: out of memory') as string,
    });
    expect(pending).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
    expect(await lost).toEqual(reason);
    await expect(client.execute('c')).rejects.toEqual(reason);
  });

  it('reports no loss to whoever closes it, and none to who no longer listens', async () => {
    const peers: Socket[] = [];
    const closed = await connected((socket) => void peers.push(socket));
    closed.onLost(() => expect.unreachable('it was closed'));
    const pending = closed.execute('a');
    closed.close();
    await expect(pending).rejects.toThrow('RMK closed the QMP connection');

    const lost = await connected((socket) => socket.destroy());
    lost.onLost(() => expect.unreachable('it was disposed'))[Symbol.dispose]();
    await expect(lost.execute('a')).rejects.toMatchObject({ code: 'RMK_ERR_GONE' });
  });

  it.each([
    ['is no JSON', 'SSH-2.0-OpenSSH\r\n'],
    ['greets otherwise', '{"hello": 1}\r\n'],
    ['has another version format', '{"QMP": {"version": {"qemu": "7"}}}\r\n'],
  ])('refuses a peer whose greeting %s', async (_, text) => {
    const path = await peer((socket) => socket.write(text));
    await expect(QmpClient.connect(path)).rejects.toMatchObject({ code: 'RMK_ERR_INPUT' });
  });

  it('gives up on a peer that never greets', async () => {
    const path = await peer(() => {});
    await expect(QmpClient.connect(path, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'RMK_ERR_TIMEOUT',
    });
  });

  it('cuts off a peer that never ends its line', async () => {
    const client = await connected((socket) => {
      const flood = (): void => {
        if (socket.destroyed) return;
        socket.write('x'.repeat(1 << 20), () => setImmediate(flood));
      };
      flood();
    });
    await expect(client.execute('query-qmp-schema')).rejects.toMatchObject({
      code: 'RMK_ERR_GONE',
      message: expect.stringContaining('a line of more than') as string,
    });
  });

  it('cuts off a peer that breaks the protocol later', async () => {
    const client = await connected((socket) => socket.write('no json\n'));
    await expect(client.execute('x')).rejects.toMatchObject({ code: 'RMK_ERR_GONE' });
  });

  it('says at once that no socket can have so long a path', async () => {
    await expect(QmpClient.connect(`/tmp/${'x'.repeat(103)}`)).rejects.toMatchObject({
      code: 'RMK_ERR_INPUT',
      message: expect.stringContaining('has 108 bytes') as string,
    });
  });

  it('says that nobody listens', async () => {
    const path = `${await temporaryFolder()}/none`;
    await expect(QmpClient.connect(path, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'RMK_ERR_TIMEOUT',
    });
    const whyNobodyListens = (): string => 'QEMU ended with 1';
    await expect(QmpClient.connect(path, { whyNobodyListens })).rejects.toMatchObject({
      code: 'RMK_ERR_GONE',
    });
  });
});

describeQemu('QmpClient and QEMU', () => {
  async function qemu(): Promise<{ readonly client: QmpClient; readonly child: ChildProcess }> {
    const path = `${await temporaryFolder()}/qmp`;
    const args = ['-M', 'none', '-nodefaults', '-display', 'none', '-qmp', `unix:${path},server=on,wait=off`];
    const child = spawn(QEMU, args, { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const client = await QmpClient.connect(path);
    onTestFinished(() => client.close());
    return { client, child };
  }

  it('asks and is answered, also by the human monitor', async () => {
    const { client } = await qemu();
    const status = z.object({ status: z.string(), running: z.boolean() });
    expect(await client.query('query-status', status)).toEqual({ status: 'running', running: true });
    expect(await client.humanMonitor('info status')).toContain('VM status: running');
    expect(client.version.major).toBeGreaterThanOrEqual(7);
  });

  it('takes an answer as long as the schema of all commands', async () => {
    const { client } = await qemu();
    const schema = await client.query('query-qmp-schema', z.array(z.unknown()));
    expect(schema.length).toBeGreaterThan(500);
  });

  it('reports events', async () => {
    const { client } = await qemu();
    const events: string[] = [];
    client.onEvent(({ event }) => events.push(event));
    await client.execute('stop');
    await client.execute('cont');
    expect(events).toEqual(['STOP', 'RESUME']);
  });

  it('notices at once that QEMU was killed', async () => {
    const { client, child } = await qemu();
    const lost = new Promise((resolve) => client.onLost(resolve));
    child.kill('SIGKILL');
    await expect(client.execute('query-status')).rejects.toMatchObject({ code: 'RMK_ERR_GONE' });
    expect(await lost).toMatchObject({ code: 'RMK_ERR_GONE' });
  });
});
