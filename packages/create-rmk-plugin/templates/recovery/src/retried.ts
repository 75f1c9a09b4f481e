import { setTimeout } from 'node:timers/promises';

/** Host time before each retry. */
const RETRY_AFTER_HOST_MS = [1, 10, 100];

/** Retries what a hypervisor may refuse for a moment. Rejects with the last failure. */
export async function retried<T>(operation: () => Promise<T>): Promise<T> {
  for (const afterHostMs of RETRY_AFTER_HOST_MS) {
    try {
      return await operation();
    } catch {
      await setTimeout(afterHostMs);
    }
  }
  return operation();
}
