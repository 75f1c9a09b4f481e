import { RmkError, type RmkErrorCode } from '@rmk/core';
import type { ControlCheckpoint, LogHandle, StateHandle } from './checkpointControl.js';

// The other side of native/wire/protocol.h; test/libraryProtocol.test.ts compares the two.

export const MAGIC = 0x314b4d52;
export const VERSION = 3;
export const HEADER_BYTES = 24;
/** Frames of a gigabyte of guest, all of them written, and some more. */
const LONGEST_RESPONSE = 64 << 20;

export const KIND = {
  response: 1,
  failure: 2,
  hello: 16,
  start: 17,
  settings: 18,
  checkpoint: 19,
  rollback: 20,
  frames: 21,
  page: 22,
  verifyLog: 23,
  verifyState: 24,
  releaseLog: 25,
  releaseState: 26,
  write: 27,
  written: 28,
  end: 29,
  state: 30,
  snapshot: 31,
  replaced: 32,
  paused: 48,
  continue: 49,
  lost: 50,
  save: 51,
  load: 52,
  executed: 53,
} as const;

export const SETTING = { audit: 1, callInPause: 2 } as const;
export const CONTROL = { inProcess: 1, qmp: 2 } as const;

export interface Frame {
  readonly kind: number;
  readonly sequence: bigint;
  readonly payload: Buffer;
}

export function encodeFrame(kind: number, sequence: bigint, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt16LE(VERSION, 4);
  frame.writeUInt16LE(kind, 6);
  frame.writeBigUInt64LE(sequence, 8);
  frame.writeUInt32LE(payload.length, 16);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/**
 * Length of the payload that belongs to a header. Throws `RMK_ERR_HYPERVISOR` if the header is not of this protocol.
 */
export function payloadLength(header: Buffer): number {
  const length = header.readUInt32LE(16);
  if (header.readUInt32LE(0) === MAGIC && header.readUInt16LE(4) === VERSION && length <= LONGEST_RESPONSE)
    return length;
  throw new RmkError(
    'RMK_ERR_HYPERVISOR',
    'the program that responds on the socket of the library is not the library of this RMK',
  );
}

export function decodeFrame(header: Buffer, payload: Buffer): Frame {
  return { kind: header.readUInt16LE(6), sequence: header.readBigUInt64LE(8), payload };
}

/** `u32` and `u64` fields in their order. */
function encodeFields(...fields: readonly (readonly ['u32' | 'u64', number])[]): Buffer {
  const payload = Buffer.alloc(fields.reduce((bytes, [type]) => bytes + (type === 'u32' ? 4 : 8), 0));
  let at = 0;
  for (const [type, value] of fields) {
    at = type === 'u32' ? payload.writeUInt32LE(value, at) : payload.writeBigUInt64LE(BigInt(value), at);
  }
  return payload;
}

/** How the library works, and its limits. */
export interface StartOptions {
  readonly control: keyof typeof CONTROL;
  readonly settings: number;
  readonly logPages: number;
  readonly states: number;
  readonly stateBytes: number;
  readonly pauseTimeoutMs: number;
  readonly running: boolean;
}

export function encodeStart(options: StartOptions): Buffer {
  return encodeFields(
    ['u32', CONTROL[options.control]],
    ['u32', options.settings],
    ['u32', options.logPages],
    ['u32', options.states],
    ['u32', options.stateBytes],
    ['u32', options.pauseTimeoutMs],
    ['u32', options.running ? 1 : 0],
    ['u32', 0],
  );
}

export function encodeSettings(settings: number): Buffer {
  return encodeFields(['u32', settings], ['u32', 0]);
}

/** Of a request about one log or one state. `handle`: a {@link LogHandle} or {@link StateHandle}. */
export function encodeHandle(handle: number): Buffer {
  return encodeFields(['u64', handle]);
}

export function encodeRollback(state: StateHandle, logs: readonly LogHandle[]): Buffer {
  return encodeFields(['u64', state], ...logs.map((log) => ['u64', log] as const));
}

export function encodePage(log: LogHandle, frame: number): Buffer {
  return encodeFields(['u64', log], ['u32', frame], ['u32', 0]);
}

/** `address`: guest-physical. `offset`: of that address in guest RAM. */
export function encodeWrite(address: number, offset: number, data: Uint8Array): Buffer {
  return Buffer.concat([encodeFields(['u64', address], ['u64', offset]), data]);
}

/** Where the snapshot that loads device states keeps them, and the QMP socket for the library's own use. */
export function encodeSnapshot(
  { clusterBytes, offsets }: { readonly clusterBytes: number; readonly offsets: readonly number[] },
  path: string,
  qmpSocket: string,
): Buffer {
  return Buffer.concat([
    encodeFields(
      ['u32', clusterBytes],
      ['u32', offsets.length],
      ...offsets.map((offset) => ['u64', offset] as const),
    ),
    Buffer.from(`${path}\0${qmpSocket}\0`),
  ]);
}

export function encodeExecuted(done: boolean): Buffer {
  return encodeFields(['u32', done ? 1 : 0], ['u32', 0]);
}

export const FAILURES: Readonly<Record<number, RmkErrorCode>> = {
  1: 'RMK_ERR_INPUT',
  2: 'RMK_ERR_STATE',
  3: 'RMK_ERR_LOGFULL',
  4: 'RMK_ERR_LOGDAMAGED',
  5: 'RMK_ERR_RELEASED',
  6: 'RMK_ERR_ADDRESS',
  7: 'RMK_ERR_MEMORY',
  8: 'RMK_ERR_HYPERVISOR',
  9: 'RMK_ERR_HYPERVISOR',
  10: 'RMK_ERR_HYPERVISOR',
};

export function decodeFailure(payload: Buffer): RmkError {
  if (payload.length < 8) return new RmkError('RMK_ERR_HYPERVISOR', 'the library failed without a reason');
  const code = FAILURES[payload.readUInt32LE(0)] ?? 'RMK_ERR_HYPERVISOR';
  return new RmkError(code, payload.toString('utf8', 8));
}

export interface Hello {
  readonly ramBytes: number;
  readonly process: number;
  readonly inProcess: boolean;
  /** Why calls within QEMU are not possible. */
  readonly whyNot: string;
}

const HELLO_BYTES = 16;

export function decodeHello(payload: Buffer): Hello {
  checkLength(payload, HELLO_BYTES);
  return {
    ramBytes: Number(payload.readBigUInt64LE(0)),
    process: payload.readUInt32LE(8),
    inProcess: payload.readUInt32LE(12) === 1,
    whyNot: payload.toString('utf8', HELLO_BYTES),
  };
}

const STEPS = ['stop', 'verify', 'pages', 'reset', 'load', 'pages again', 'audit'] as const;
const STEP_PLACES = 8;
const STEPS_AT = 11 * 8;
const COUNTS_AT = STEPS_AT + STEP_PLACES * 8;
const CHECKPOINT_BYTES = COUNTS_AT + 4 * 4;

export interface DecodedCheckpoint {
  readonly checkpoint: ControlCheckpoint;
  readonly pagesRestored: number;
  readonly steps: readonly { readonly step: string; readonly ns: number }[];
}

export function decodeCheckpoint(payload: Buffer): DecodedCheckpoint {
  checkLength(payload, CHECKPOINT_BYTES);
  const number = (index: number): number => Number(payload.readBigUInt64LE(index * 8));
  const audited = payload.readUInt32LE(COUNTS_AT);
  const frameCount = payload.readUInt32LE(COUNTS_AT + 4);
  const differenceCount = payload.readUInt32LE(COUNTS_AT + 8);
  if (payload.length !== CHECKPOINT_BYTES + (frameCount + differenceCount) * 4) throw tooShort();
  const closedLog = number(3);
  const differences = decodeNumbers(payload.subarray(CHECKPOINT_BYTES + frameCount * 4));
  const checkpoint: ControlCheckpoint = {
    state: number(0),
    stateBytes: number(1),
    log: number(2),
    ...(closedLog === 0
      ? {}
      : {
          closed: {
            log: closedLog,
            updated: decodeNumbers(payload.subarray(CHECKPOINT_BYTES, CHECKPOINT_BYTES + frameCount * 4)),
          },
        }),
    atMonotonicNs: payload.readBigUInt64LE(4 * 8),
    pauseNs: number(5),
    stateNs: number(6),
    pagesNs: number(7),
    prePassPages: number(8),
    ...(audited === 0
      ? {}
      : {
          audit: {
            ramDigest: payload
              .readBigUInt64LE(10 * 8)
              .toString(16)
              .padStart(16, '0'),
            stateDifferences: [...differences],
          },
        }),
  };
  const steps = STEPS.map((step, index) => ({
    step,
    ns: Number(payload.readBigUInt64LE(STEPS_AT + index * 8)),
  }));
  return { checkpoint, pagesRestored: number(9), steps: steps.filter(({ ns }) => ns > 0) };
}

export function decodeNumbers(payload: Buffer): Uint32Array {
  if (payload.length % 4 !== 0) throw tooShort();
  const numbers = new Uint32Array(payload.length / 4);
  for (let index = 0; index < numbers.length; index++) numbers[index] = payload.readUInt32LE(index * 4);
  return numbers;
}

export function decodeCount(payload: Buffer): number {
  checkLength(payload, 8);
  return Number(payload.readBigUInt64LE(0));
}

const PAUSED_BYTES = 16;

export function decodePaused(payload: Buffer): {
  readonly kind: 'checkpoint' | 'rollback';
  readonly atMonotonicNs: bigint;
} {
  checkLength(payload, PAUSED_BYTES);
  const kind = payload.readUInt32LE(0) === 2 ? 'rollback' : 'checkpoint';
  return { kind, atMonotonicNs: payload.readBigUInt64LE(8) };
}

function checkLength(payload: Buffer, bytes: number): void {
  if (payload.length < bytes) throw tooShort();
}

function tooShort(): RmkError {
  return new RmkError('RMK_ERR_HYPERVISOR', 'the library sent a frame of a wrong length');
}
