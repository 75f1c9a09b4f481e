import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, RmkError } from '@rmk/core';
import { serveGdb, type GdbTarget } from '@rmk/hypervisor-embedded';

/** Where gdb connects to. */
export interface DebugServer {
  /** As `target remote` takes it. */
  readonly address: string;
  /** Serves one gdb after the other until one kills the guest, or `signal` is aborted. */
  serve(target: GdbTarget, warn: (text: string) => void, signal: AbortSignal): Promise<void>;
}

/** Listens on a port of the loopback interface. Throws `RMK_ERR_INPUT` if it is in use. */
export async function listenOnPort(port: number): Promise<DebugServer> {
  const server = createServer();
  await listening(server, () => server.listen(port, '127.0.0.1'), `port ${port}`);
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return debugServer(server, `localhost:${actual}`, async () => {});
}

/** Listens on a unix socket that only this user reaches. */
export async function listenPrivately(): Promise<DebugServer> {
  const folder = await mkdtemp(join(tmpdir(), 'rmk-debug-')); // mode 0700
  const path = join(folder, 'gdb');
  const server = createServer();
  try {
    await listening(server, () => server.listen(path), path);
    await chmod(path, 0o600);
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  return debugServer(server, path, () => rm(folder, { recursive: true, force: true }));
}

async function listening(server: Server, listen: () => void, where: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new RmkError(
          'RMK_ERR_INPUT',
          `cannot listen on ${where}: ${messageOf(error)}. Choose another --port, or leave it out.`,
        ),
      ),
    );
    server.once('listening', resolve);
    listen();
  });
}

function debugServer(server: Server, address: string, remove: () => Promise<void>): DebugServer {
  return {
    address,
    async serve(target, warn, signal) {
      const open = new Map<Socket, Promise<void>>();
      try {
        await new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => resolve());
          if (signal.aborted) resolve();
          server.on('connection', (socket) => {
            // Two debuggers of one guest would take it from each other.
            if (open.size > 0) {
              socket.destroy();
              return;
            }
            const session = serveGdb(socket, target)
              .then((end) => {
                return end === 'killed' ? resolve() : undefined;
              })
              .catch((error: unknown) => {
                if (error instanceof RmkError) warn(`the connection was closed: ${error.reason}`);
                else reject(error instanceof Error ? error : new Error(messageOf(error)));
              })
              .finally(() => open.delete(socket));
            open.set(socket, session);
          });
        });
      } finally {
        server.close();
        for (const socket of open.keys()) socket.destroy();
        // What they are at ends before the guest does.
        await Promise.all(open.values());
        await remove();
      }
    },
  };
}
