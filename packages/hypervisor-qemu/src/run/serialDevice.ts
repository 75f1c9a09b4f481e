import type { Socket } from 'node:net';
import { messageOf, RmkError } from '@rmk/core';
import { connectUnix } from '../process/unixSocket.js';

const CONNECT_WITHIN_MS = 10_000;
/** QEMU accepts input as fast as the guest does, and a guest that hangs accepts none. */
const TAKEN_WITHIN_MS = 5000;

/** A console or a channel: its socket, and how much came through it. */
export class SerialDevice {
  /** Bytes put out in all, also those that a rollback undid. */
  receivedBytes = 0;
  private lost: string | undefined;

  private constructor(
    readonly name: string,
    private readonly socket: Socket,
  ) {}

  static async connect(name: string, path: string): Promise<SerialDevice> {
    return new SerialDevice(name, await connectUnix(path, CONNECT_WITHIN_MS));
  }

  /** From now on passes output on, and notices the loss of the connection. */
  start(output: (data: Uint8Array) => void): void {
    this.socket.on('data', (data: Buffer) => {
      this.receivedBytes += data.length;
      output(data);
    });
    this.socket.on('error', (error) => (this.lost ??= messageOf(error)));
    this.socket.on('close', () => (this.lost ??= 'QEMU closed it'));
  }

  /**
   * Resolves when QEMU's side of the socket has the bytes. Throws `RMK_ERR_GONE` if the connection is lost,
   * `RMK_ERR_TIMEOUT`.
   */
  input(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new RmkError(
            'RMK_ERR_TIMEOUT',
            `the guest accepts no input from ${this.name}: ${data.length} bytes have waited for ${TAKEN_WITHIN_MS} ms`,
          ),
        );
      }, TAKEN_WITHIN_MS);
      const gone = (reason: string): void => {
        reject(new RmkError('RMK_ERR_GONE', `the device ${this.name} is not connected: ${reason}`));
      };
      if (this.lost !== undefined) {
        clearTimeout(timer);
        gone(this.lost);
        return;
      }
      this.socket.write(data, (error) => {
        clearTimeout(timer);
        if (error === undefined || error === null) resolve();
        else gone(messageOf(error));
      });
    });
  }

  close(): void {
    this.socket.destroy();
  }
}
