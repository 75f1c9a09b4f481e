import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ControlTarget } from '../src/control/controlTarget.js';
import { GdbStub } from '../src/gdb/gdbStub.js';
import { buildNativeLibrary } from '../src/process/nativeLibrary.js';
import { QmpClient } from '../src/qmp/qmpClient.js';
import { QEMU } from './qemuPresent.js';

const SOURCE = fileURLToPath(new URL('guest/counting.S', import.meta.url));

export interface CountingGuestOptions {
  readonly memoryMiB?: number;
  /** Ends up in QEMU's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly arguments?: readonly string[];
  readonly library?: boolean;
  /** Another QEMU than the installed one. */
  readonly qemu?: string;
  /** With a gdb stub, by which memory is written. */
  readonly gdb?: boolean;
}

/** QEMU with the guest of guest/counting.S, which proves by itself that its memory is of one moment. */
export class CountingGuest implements AsyncDisposable {
  private stderr = '';

  private constructor(
    readonly process: ChildProcess,
    readonly target: ControlTarget,
    private readonly serialFile: string,
  ) {
    process.stderr?.setEncoding('utf8').on('data', (piece: string) => (this.stderr += piece));
  }

  static async start(options: CountingGuestOptions = {}): Promise<CountingGuest> {
    const { memoryMiB = 16 } = options;
    const folder = mkdtempSync('/dev/shm/rmk-test-');
    const firmware = join(folder, 'counting.bin');
    execFileSync(
      'cc',
      [
        '-m32',
        '-nostdlib',
        '-static',
        '-Wl,-Ttext=0,--oformat=binary,--build-id=none,-e,0',
        '-o',
        firmware,
        SOURCE,
      ],
      { stdio: 'pipe' },
    );
    const ramFile = join(folder, 'ram');
    const serialFile = join(folder, 'serial');
    const qmpSocket = join(folder, 'qmp');
    const spareQmpSocket = join(folder, 'spare-qmp');
    const gdbSocket = join(folder, 'gdb');
    const librarySocket = join(folder, 'library');
    writeFileSync(serialFile, '');
    const args = [
      '-accel tcg -cpu max -M pc,memory-backend=m,vmport=off,i8042=off,usb=off,suppress-vmdesc=on',
      `-m ${memoryMiB} -nodefaults -no-user-config -display none -vga none -no-shutdown -bios ${firmware}`,
      `-object memory-backend-file,id=m,size=${memoryMiB}M,mem-path=${ramFile},share=on`,
      ...(options.gdb === true ? [`-gdb unix:${gdbSocket},server=on,wait=off`] : []),
      `-global migration.send-configuration=off -serial file:${serialFile}`,
      `-qmp unix:${qmpSocket},server=on,wait=off -qmp unix:${spareQmpSocket},server=on,wait=off`,
    ];
    const preload = {
      LD_PRELOAD: await buildNativeLibrary(),
      RMK_LIBRARY_SOCKET: librarySocket,
      RMK_RAM_FILE: ramFile,
    };
    const all = [...args.flatMap((line) => line.split(' ')), ...(options.arguments ?? [])];
    // It ends with this process, also where that is killed.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', options.qemu ?? QEMU, ...all], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...(options.library === false ? {} : preload), ...options.environment },
    });
    const qmp = await QmpClient.connect(qmpSocket).catch((error: unknown) => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      throw error;
    });
    const gdb = options.gdb === true ? await GdbStub.open(gdbSocket) : undefined;
    // Whoever connects to the stub stops the VM.
    if (gdb !== undefined) await qmp.execute('cont');
    const guest: CountingGuest = new CountingGuest(
      child,
      {
        qmp,
        pid: child.pid ?? 0,
        folder,
        ramFile,
        spareQmpSocket,
        ...(gdb === undefined
          ? {}
          : {
              writeMemory: async (address, data) => {
                await gdb.writeMemory(address, data);
                await qmp.execute('cont');
              },
            }),
        memoryBytes: memoryMiB << 20,
        offsetOf: (address) => address,
        ...(options.library === false ? {} : { librarySocket }),
        stderrTail: () => guest.stderr,
      },
      serialFile,
    );
    return guest;
  }

  get output(): string {
    return readFileSync(this.serialFile, 'utf8');
  }

  /** What lies in its RAM now. */
  memory(address: number, bytes: number): Uint8Array {
    const file = openSync(this.target.ramFile, 'r');
    try {
      const piece = new Uint8Array(bytes);
      readSync(file, piece, 0, bytes, address);
      return piece;
    } finally {
      closeSync(file);
    }
  }

  get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Waits until it has proved so many times more that its memory is of one moment. */
  async proves(times = 20): Promise<void> {
    const until = this.output.length + times;
    while (this.output.length < until) {
      if (this.ended) throw new Error(`QEMU ended: ${this.stderr}`);
      await wait(2);
    }
    if (this.output.includes('E')) throw new Error('the memory of the guest is of several moments');
  }

  async runs(): Promise<boolean> {
    const status = (await this.target.qmp.execute('query-status')) as { running: boolean };
    return status.running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.target.qmp.close();
    if (!this.ended) {
      const exit = once(this.process, 'exit');
      this.process.kill('SIGKILL');
      await exit;
    }
    rmSync(this.target.folder, { recursive: true, force: true });
  }
}
