import { readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RmkError } from '@rmk/core';
import { checkPrivate, defaultMachinesFolder } from './machineFolder.js';
import { processStart } from './processStatus.js';
import { isAlive } from './qemuProcess.js';

/**
 * Claims the name of a VM while it is looked for and started, so that two processes at once do not start two of one
 * name. A claim whose process has ended counts no longer. Throws `RMK_ERR_STATE` if another process has the claim.
 */
export async function claimName(
  name: string,
  parent: string = defaultMachinesFolder(),
): Promise<AsyncDisposable> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await checkPrivate(parent);
  const path = join(parent, `.claim-${name}`);
  const own = `${process.pid} ${processStart(process.pid) ?? ''}`;
  for (let tries = 0; tries < 2; tries++) {
    try {
      await writeFile(path, own, { flag: 'wx', mode: 0o600 });
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
        throw new RmkError('RMK_ERR_INPUT', `${path} cannot be written: ${messageOf(error)}`, {
          cause: error,
        });
      }
    }
    const [pid, start] = (await readFile(path, 'utf8').catch(() => '')).split(' ');
    if (start !== undefined && isAlive({ pid: Number(pid), processStart: start })) {
      throw new RmkError(
        'RMK_ERR_STATE',
        `VM ${JSON.stringify(name)} is being started by process ${pid}. Wait for it, or end that process.`,
      );
    }
    await rm(path, { force: true });
  }
  throw new RmkError(
    'RMK_ERR_STATE',
    `VM ${JSON.stringify(name)} is being started by another process. Try again.`,
  );
}
