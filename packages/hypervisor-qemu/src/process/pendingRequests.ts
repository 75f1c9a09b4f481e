import type { RmkError } from '@rmk/core';

interface Pending<T> {
  readonly name: string;
  readonly resolve: (response: T) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

export interface RequestTimeout {
  readonly ms: number;
  /** Called once, with the number of the request, which is still pending. */
  readonly expired: (id: number) => void;
}

/**
 * The requests of one connection that wait for a response. Losing the connection rejects all of them, and all later
 * ones.
 */
export class PendingRequests<T> {
  /** In the order in which they were sent. */
  private readonly pending = new Map<number, Pending<T>>();
  private lastId = 0;
  private lossError: RmkError | undefined;

  /** Set once the connection is lost. */
  get loss(): RmkError | undefined {
    return this.lossError;
  }

  /** The number of the request that waits longest. */
  get oldest(): number | undefined {
    return this.pending.keys().next().value;
  }

  /**
   * Sends a request by `send`, which gets its number. Rejects with what `send` throws, and with the loss of the
   * connection. `name`: for errors.
   */
  add(name: string, send: (id: number) => void, timeout?: RequestTimeout): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.lossError !== undefined) {
        reject(this.lossError);
        return;
      }
      const id = ++this.lastId;
      const timer = timeout === undefined ? undefined : setTimeout(() => timeout.expired(id), timeout.ms);
      this.pending.set(id, { name, resolve, reject, timer });
      try {
        send(id);
      } catch (error) {
        // What was not sent gets no response, and must not expire either.
        this.take(id);
        throw error;
      }
    });
  }

  /** The name of a request that is pending. */
  nameOf(id: number): string | undefined {
    return this.pending.get(id)?.name;
  }

  /** Ignores a request that is not pending any more: its response came after its timeout. */
  resolve(id: number | undefined, response: T): void {
    this.take(id)?.resolve(response);
  }

  /** As {@link resolve}. */
  reject(id: number | undefined, error: Error): void {
    this.take(id)?.reject(error);
  }

  /** Returns false if the connection was lost before. */
  lose(error: RmkError): boolean {
    if (this.lossError !== undefined) return false;
    this.lossError = error;
    for (const id of this.pending.keys()) this.reject(id, error);
    return true;
  }

  private take(id: number | undefined): Pending<T> | undefined {
    if (id === undefined) return undefined;
    const pending = this.pending.get(id);
    this.pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }
}
