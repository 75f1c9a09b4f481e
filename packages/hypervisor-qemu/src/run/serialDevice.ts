import type { Socket } from 'node:net';
import { messageOf, RmkError } from '@rmk/core';
import { connectUnix } from '../process/unixSocket.js';

const CONNECT_WITHIN_MS = 10_000;
/** QEMU takes input as fast as the guest does, and a guest that hangs takes none. */
const TAKEN_WITHIN_MS = 5000;

/** A console or a channel: its socket, and what passed through it. */
export class SerialDevice {
  /** Bytes put out in all, also those that were struck by a rollback. */
  receivedBytes = 0;
  private lost: string | undefined;

  private constructor(
    readonly name: string,
    private readonly socket: Socket,
  ) {}

  static async connect(name: string, path: string): Promise<SerialDevice> {
    return new SerialDevice(name, await connectUnix(path, CONNECT_WITHIN_MS));
  }

  /** Output is told from now on, and so is the loss of the connection. */
  start(output: (data: Uint8Array) => void): void {
    this.socket.on('data', (data: Buffer) => {
      this.receivedBytes += data.length;
      output(data);
    });
    this.socket.on('error', (error) => (this.lost ??= messageOf(error)));
    this.socket.on('close', () => (this.lost ??= 'QEMU closed it'));
  }

  /** Done when QEMU's side of the socket has the bytes. `RMK_ERR_GONE` where the connection is lost, `RMK_ERR_TIMEOUT`. */
  input(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new RmkError(
            'RMK_ERR_TIMEOUT',
            `the guest takes no input from ${this.name}: ${data.length} bytes wait since ${TAKEN_WITHIN_MS} ms`,
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
