import { array, assert, nat, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader } from '../src/control/frameReader.js';
import { encodeFrame, HEADER_BYTES } from '../src/control/libraryProtocol.js';

describe('The frames of a stream', () => {
  it('are the same however it arrives in pieces', () => {
    assert(
      property(array(uint8Array({ maxLength: 60 }), { maxLength: 6 }), array(nat(70)), (payloads, cuts) => {
        const stream = Buffer.concat(
          payloads.map((payload, index) => encodeFrame(index, BigInt(index) << 33n, payload)),
        );
        const reader = new FrameReader();
        const frames = [];
        let at = 0;
        for (const bytes of [...cuts, stream.length]) {
          frames.push(...reader.read(stream.subarray(at, at + bytes)));
          at += bytes;
        }
        expect(
          frames.map(({ kind, sequence, payload }) => ({ kind, sequence, payload: [...payload] })),
        ).toEqual(
          payloads.map((payload, index) => ({
            kind: index,
            sequence: BigInt(index) << 33n,
            payload: [...payload],
          })),
        );
      }),
    );
  });

  it('come one by one: what a frame leads to happens before the next is read', () => {
    const reader = new FrameReader();
    const other = Buffer.alloc(HEADER_BYTES, 1);
    const frames = reader.read(Buffer.concat([encodeFrame(5, 1n), other]));
    expect(frames.next().value).toMatchObject({ kind: 5 });
    expect(() => frames.next()).toThrow('is not the library of this RMK');
  });

  it('of another protocol are refused as soon as the header is there', () => {
    const reader = new FrameReader();
    expect([...reader.read(Buffer.alloc(HEADER_BYTES - 1))]).toEqual([]);
    expect(() => [...reader.read(Buffer.alloc(1))]).toThrow('is not the library of this RMK');
  });
});
