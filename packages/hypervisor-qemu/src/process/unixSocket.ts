import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, RmkError } from '@rmk/core';

/** `sun_path` has 108 bytes, and the last one is zero. */
const LONGEST_PATH_BYTES = 107;
const RETRY_MS = 5;

/** Throws `RMK_ERR_INPUT` if no unix socket can have this path. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= LONGEST_PATH_BYTES) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `the path of the socket ${path} has ${bytes} bytes, and the system allows ${LONGEST_PATH_BYTES}: ` +
      'choose a folder with a shorter path',
  );
}

/**
 * Connects to a unix socket. Retries while nobody listens, until the timeout (`RMK_ERR_TIMEOUT`), or until
 * `whyNobodyListens` returns why nobody ever will (`RMK_ERR_GONE`).
 */
export async function connectUnix(
  path: string,
  timeoutMs: number,
  whyNobodyListens: () => string | undefined = () => undefined,
): Promise<Socket> {
  checkSocketPath(path);
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await opened(path);
    } catch (error) {
      const reason = whyNobodyListens();
      if (reason !== undefined) throw new RmkError('RMK_ERR_GONE', reason, { cause: error });
      if (performance.now() > giveUpAt) {
        throw new RmkError(
          'RMK_ERR_TIMEOUT',
          `nobody listened on ${path} within ${timeoutMs} ms (${messageOf(error)})`,
          { cause: error },
        );
      }
      await wait(RETRY_MS);
    }
  }
}

function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
