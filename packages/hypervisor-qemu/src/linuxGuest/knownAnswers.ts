import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { GuestJob } from './guestDescription.js';
import type { GuestTree } from './guestTree.js';
import { runTool } from './toolCommand.js';

/**
 * Does the guest's jobs on this machine, to know what they must give. Where there is another program that can tell, it
 * does: digests are Node's own.
 */
export async function knownAnswers(
  tree: GuestTree,
  sample: Uint8Array,
  hashProgram: string,
): Promise<Record<GuestJob, string>> {
  const compressed = await runTool(tree.program('busybox'), ['gzip', '-6'], { input: sample });
  return {
    gzip: sha256(compressed),
    perl: (await tree.run('perl', [hashProgram])).toString().trim(),
    openssl: sha256(await readFile(tree.program('perl'))),
    web: sha256(sample),
  };
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
