import { setTimeout } from 'node:timers/promises';
import { messageOf, type Bus, type Clock, type Suspension, type VcpuPin } from '@rmk/core';

/** Host time before each retry of a suspension or resumption that failed. */
const RETRY_AFTER_HOST_MS = [1, 10, 100];

/** Suspends and resumes a VM. Retries what P_VCPU rejects, reports each failure, and rejects with the last one. */
export class RetryingVcpu implements Pick<VcpuPin, 'suspend' | 'resume'> {
  constructor(
    private readonly vcpu: VcpuPin,
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {}

  suspend(): Promise<Suspension> {
    return this.retried('suspended', () => this.vcpu.suspend());
  }

  resume(suspension: Suspension): Promise<void> {
    return this.retried('resumed', () => this.vcpu.resume(suspension));
  }

  private async retried<T>(done: string, operation: () => Promise<T>): Promise<T> {
    for (const afterHostMs of RETRY_AFTER_HOST_MS) {
      try {
        return await operation();
      } catch (error) {
        const message = `the VM could not be ${done}, which is tried again: ${messageOf(error)}`;
        this.bus.topic('EVT_WARNING').publish({ atNs: this.clock.now(), code: 'RMK_WARN_VCPU', message });
      }
      await setTimeout(afterHostMs);
    }
    return operation();
  }
}
