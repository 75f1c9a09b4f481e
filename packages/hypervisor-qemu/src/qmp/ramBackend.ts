import { z } from 'zod';
import type { QmpClient } from './qmpClient.js';

const backends = z.array(z.object({ id: z.string().optional(), size: z.int(), share: z.boolean() }));

/** The memory backend that a VM's RAM is in. */
export interface RamBackend {
  readonly id: string;
  readonly size: number;
  /** Whether QEMU maps the file shared, so that RMK sees the guest's RAM in it. */
  readonly share: boolean;
}

/** The backend whose file is `ramFile`; undefined if QEMU has none. */
export async function ramBackend(qmp: QmpClient, ramFile: string): Promise<RamBackend | undefined> {
  for (const { id, size, share } of await qmp.query('query-memdev', backends)) {
    if (id === undefined) continue;
    const path = await qmp
      .query('qom-get', z.string(), { path: `/objects/${id}`, property: 'mem-path' })
      .catch(() => undefined);
    if (path === ramFile) return { id, size, share };
  }
  return undefined;
}
