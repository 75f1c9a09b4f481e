import { describe, expect, it } from 'vitest';
import {
  CONTROL,
  decodeCheckpoint,
  decodeCount,
  decodeFailure,
  decodeFrame,
  decodeHello,
  decodeNumbers,
  decodePaused,
  encodeExecuted,
  encodeFrame,
  encodeHandle,
  encodePage,
  encodeRollback,
  encodeSettings,
  encodeSnapshot,
  encodeStart,
  encodeWrite,
  FAILURES,
  HEADER_BYTES,
  KIND,
  MAGIC,
  payloadLength,
  SETTING,
  VERSION,
} from '../src/control/libraryProtocol.js';
import { NativeHeader, readFields, written } from './nativeHeader.js';

const protocol = new NativeHeader('wire/protocol.h');
const failure = new NativeHeader('failure.h');

/** `verifyLog` as the header writes it: `VERIFY_LOG`. */
function constantName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function named(constants: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(constants).map(([name, value]) => [constantName(name), value]));
}

describe('the protocol of the library is the same on both sides:', () => {
  it('kinds, settings, controls, magic and version', () => {
    expect(named(KIND)).toEqual(protocol.constants('KIND_'));
    expect(named(SETTING)).toEqual(protocol.constants('SETTING_'));
    expect(named(CONTROL)).toEqual(protocol.constants('CONTROL_'));
    expect([MAGIC, VERSION]).toEqual([
      protocol.define('PROTOCOL_MAGIC'),
      protocol.define('PROTOCOL_VERSION'),
    ]);
  });

  it('every failure of the library has a code of RMK, and no other', () => {
    const codes = [...failure.constants('FAILURE_')].filter(([name]) => name !== 'NONE');
    expect(Object.keys(FAILURES).map(Number)).toEqual(codes.map(([, code]) => code));
    expect(Object.fromEntries(codes.map(([name, code]) => [name, FAILURES[code]]))).toMatchObject({
      INPUT: 'RMK_ERR_INPUT',
      STATE: 'RMK_ERR_STATE',
      LOG_FULL: 'RMK_ERR_LOGFULL',
      DAMAGED: 'RMK_ERR_LOGDAMAGED',
      RELEASED: 'RMK_ERR_RELEASED',
      ADDRESS: 'RMK_ERR_ADDRESS',
      MEMORY: 'RMK_ERR_MEMORY',
      UNSUPPORTED: 'RMK_ERR_HYPERVISOR',
      BROKEN: 'RMK_ERR_HYPERVISOR',
      MALFORMED: 'RMK_ERR_HYPERVISOR',
    });
  });

  it('the header of a frame', () => {
    const layout = protocol.struct('frame_header');
    expect(layout.bytes).toBe(HEADER_BYTES);
    const frame = encodeFrame(KIND.page, 0x1_0000_0007n, Uint8Array.of(1, 2, 3));
    expect(readFields(layout, frame)).toEqual({
      magic: MAGIC,
      version: VERSION,
      kind: KIND.page,
      sequence: 0x1_0000_0007,
      length: 3,
      reserved: 0,
    });
    expect([...frame.subarray(HEADER_BYTES)]).toEqual([1, 2, 3]);
    const header = frame.subarray(0, HEADER_BYTES);
    expect(payloadLength(header)).toBe(3);
    expect(decodeFrame(header, frame.subarray(HEADER_BYTES))).toEqual({
      kind: KIND.page,
      sequence: 0x1_0000_0007n,
      payload: frame.subarray(HEADER_BYTES),
    });
  });

  it.each([
    [
      'start',
      'start_payload',
      encodeStart({
        control: 'qmp',
        settings: 3,
        logPages: 4,
        states: 5,
        stateBytes: 6,
        pauseTimeoutMs: 7,
        running: true,
      }),
      {
        control: CONTROL.qmp,
        settings: 3,
        log_pages: 4,
        states: 5,
        state_bytes: 6,
        pause_limit_ms: 7,
        runs: 1,
        reserved: 0,
      },
    ],
    [
      'start of a paused VM',
      'start_payload',
      encodeStart({
        control: 'inProcess',
        settings: 0,
        logPages: 1,
        states: 1,
        stateBytes: 1,
        pauseTimeoutMs: 1,
        running: false,
      }),
      {
        control: CONTROL.inProcess,
        settings: 0,
        log_pages: 1,
        states: 1,
        state_bytes: 1,
        pause_limit_ms: 1,
        runs: 0,
        reserved: 0,
      },
    ],
    ['settings', 'settings_payload', encodeSettings(2), { settings: 2, reserved: 0 }],
    ['a handle', 'handle_payload', encodeHandle(0x1_0000_0002), { handle: 0x1_0000_0002 }],
    ['page', 'page_payload', encodePage(8, 9), { log: 8, frame: 9, reserved: 0 }],
    ['executed', 'executed_payload', encodeExecuted(true), { done: 1, reserved: 0 }],
    ['not executed', 'executed_payload', encodeExecuted(false), { done: 0, reserved: 0 }],
  ] as const)('the payload of %s', (_, struct, payload, fields) => {
    const layout = protocol.struct(struct);
    expect(payload).toHaveLength(layout.bytes);
    expect(readFields(layout, payload)).toEqual(fields);
  });

  it('the payloads that something follows', () => {
    const rollback = encodeRollback(7, [3, 2, 1]);
    const layout = protocol.struct('rollback_payload');
    expect(readFields(layout, rollback)).toEqual({ state: 7 });
    const handles = rollback.subarray(layout.bytes);
    expect([0, 8, 16].map((at) => handles.readBigUInt64LE(at))).toEqual([3n, 2n, 1n]);
    expect(handles).toHaveLength(24);

    const write = encodeWrite(0x1_0000_1234, 0x1234, Uint8Array.of(5, 6));
    const start = protocol.struct('write_payload');
    expect(readFields(start, write)).toEqual({ address: 0x1_0000_1234, offset: 0x1234 });
    expect([...write.subarray(start.bytes)]).toEqual([5, 6]);

    const snapshot = encodeSnapshot({ clusterBytes: 512, offsets: [1024, 2048] }, '/a', '/b');
    const about = protocol.struct('snapshot_payload');
    expect(readFields(about, snapshot)).toEqual({ cluster_bytes: 512, cluster_count: 2 });
    expect(snapshot.subarray(about.bytes)).toEqual(
      Buffer.concat([encodeHandle(1024), encodeHandle(2048), Buffer.from('/a\0/b\0')]),
    );
  });

  it('what the library answers to a hello', () => {
    const layout = protocol.struct('hello_payload');
    const hello = (possible: bigint): Buffer =>
      Buffer.concat([
        written(layout, { ram_bytes: 1n << 33n, process: 77n, in_process: possible }),
        Buffer.from('too old'),
      ]);
    expect(decodeHello(hello(1n))).toEqual({
      ramBytes: 2 ** 33,
      process: 77,
      inProcess: true,
      whyNot: 'too old',
    });
    expect(decodeHello(hello(0n)).inProcess).toBe(false);
    expect(decodeHello(hello(1n).subarray(0, layout.bytes)).whyNot).toBe('');
    expect(() => decodeHello(hello(1n).subarray(0, layout.bytes - 1))).toThrow('a frame of a wrong length');
  });

  it('a checkpoint, and a rollback with its steps', () => {
    const layout = protocol.struct('checkpoint_payload');
    const values = {
      state: 1n,
      state_bytes: 2n,
      log: 3n,
      closed_log: 4n,
      at_ns: 5n,
      pause_ns: 6n,
      state_ns: 7n,
      pages_ns: 8n,
      pre_pass_pages: 9n,
      pages_restored: 10n,
      ram_digest: 0xabcn,
      step_ns: [11n, 12n, 13n, 14n, 15n, 16n, 17n, 0n],
      audited: 1n,
      frame_count: 2n,
      difference_count: 1n,
    };
    const rest = Buffer.alloc(12);
    [30, 31, 40].forEach((value, index) => rest.writeUInt32LE(value, index * 4));
    expect(decodeCheckpoint(Buffer.concat([written(layout, values), rest]))).toEqual({
      checkpoint: {
        state: 1,
        stateBytes: 2,
        log: 3,
        closed: { log: 4, updated: Uint32Array.of(30, 31) },
        atMonotonicNs: 5n,
        pauseNs: 6,
        stateNs: 7,
        pagesNs: 8,
        prePassPages: 9,
        audit: { ramDigest: '0000000000000abc', stateDifferences: [40] },
      },
      pagesRestored: 10,
      steps: [
        { step: 'stop', ns: 11 },
        { step: 'verify', ns: 12 },
        { step: 'pages', ns: 13 },
        { step: 'reset', ns: 14 },
        { step: 'load', ns: 15 },
        { step: 'pages again', ns: 16 },
        { step: 'audit', ns: 17 },
      ],
    });
  });

  it('a first checkpoint without audit: nothing was closed, and no step has taken time', () => {
    const layout = protocol.struct('checkpoint_payload');
    const { checkpoint, steps } = decodeCheckpoint(
      written(layout, { state: 1n, log: 3n, step_ns: [0n, 5n] }),
    );
    expect('closed' in checkpoint).toBe(false);
    expect('audit' in checkpoint).toBe(false);
    expect(steps).toEqual([{ step: 'verify', ns: 5 }]);
  });

  it('the call in a pause, and a count', () => {
    const layout = protocol.struct('paused_payload');
    const kinds = protocol.constants('PAUSED_FOR_');
    const paused = (what: number): Buffer => written(layout, { what: BigInt(what), at_ns: 99n });
    expect(decodePaused(paused(kinds.get('CHECKPOINT') ?? 0))).toEqual({
      kind: 'checkpoint',
      atMonotonicNs: 99n,
    });
    expect(decodePaused(paused(kinds.get('ROLLBACK') ?? 0))).toEqual({
      kind: 'rollback',
      atMonotonicNs: 99n,
    });
    expect(decodeCount(written(protocol.struct('count_payload'), { count: 12n }))).toBe(12);
    for (const decode of [decodePaused, decodeCount]) {
      expect(() => decode(Buffer.alloc(7))).toThrow('a frame of a wrong length');
    }
  });

  it('a failure with its code and sentence', () => {
    const layout = protocol.struct('failure_payload');
    const damaged = failure.constants('FAILURE_').get('DAMAGED') ?? 0;
    const payload = Buffer.concat([written(layout, { code: BigInt(damaged) }), Buffer.from('page 3')]);
    expect(decodeFailure(payload)).toMatchObject({
      code: 'RMK_ERR_LOGDAMAGED',
      message: 'RMK_ERR_LOGDAMAGED: page 3',
    });
    expect(decodeFailure(written(layout, { code: 200n }))).toMatchObject({ code: 'RMK_ERR_HYPERVISOR' });
    expect(decodeFailure(Buffer.alloc(7)).message).toContain('without a reason');
  });
});

describe('a peer that is not this library', () => {
  const header = encodeFrame(KIND.response, 1n).subarray(0, HEADER_BYTES);

  it.each([
    ['another magic number', (frame: Buffer) => frame.writeUInt32LE(MAGIC + 1, 0)],
    ['another version', (frame: Buffer) => frame.writeUInt16LE(VERSION + 1, 4)],
    ['a payload beyond 64 MiB', (frame: Buffer) => frame.writeUInt32LE((64 << 20) + 1, 16)],
  ])('is refused: %s', (_, spoil) => {
    const other = Buffer.from(header);
    spoil(other);
    expect(() => payloadLength(other)).toThrow('is not the library of this RMK');
  });

  it('may send payloads of up to 64 MiB', () => {
    const long = Buffer.from(header);
    long.writeUInt32LE(64 << 20, 16);
    expect(payloadLength(long)).toBe(64 << 20);
  });

  it('is refused where its numbers or its lists are cut off', () => {
    expect(decodeNumbers(Buffer.of(1, 0, 0, 0, 2, 0, 0, 0))).toEqual(Uint32Array.of(1, 2));
    expect(() => decodeNumbers(Buffer.alloc(6))).toThrow('a frame of a wrong length');
    const layout = protocol.struct('checkpoint_payload');
    const counts = { frame_count: 2n, difference_count: 1n };
    const checkpoint = (bytes: number): Buffer =>
      Buffer.concat([written(layout, counts), Buffer.alloc(bytes)]);
    expect(() => decodeCheckpoint(checkpoint(8))).toThrow('a frame of a wrong length');
    expect(() => decodeCheckpoint(checkpoint(16))).toThrow('a frame of a wrong length');
    expect(() => decodeCheckpoint(written(layout, {}).subarray(1))).toThrow('a frame of a wrong length');
    expect(decodeCheckpoint(checkpoint(12)).pagesRestored).toBe(0);
  });
});
