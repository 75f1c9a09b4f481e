import { runInThisContext } from 'node:vm';

/** What is published: the same shape for every emitter, and a new object each time. */
export interface BenchEvent {
  readonly atNs: number;
  readonly code: number;
}

export type Listener = (event: BenchEvent) => void;

/** Listeners with distinct bodies, what they have made of the events, and the loops that publish to them. */
export interface Load {
  readonly listeners: readonly Listener[];
  /** An element for each listener: whoever loses, doubles or changes an event comes to other numbers. */
  readonly results: Int32Array;
  publish(emit: (event: BenchEvent) => void, events: number): void;
  publishAwaiting(emit: (event: BenchEvent) => Promise<void>, events: number): Promise<void>;
}

/** Stands alone, without imports, since its source is compiled again for each load. */
function newLoad(): Load {
  const results = new Int32Array(16);
  let last = 0;
  const at = (index: number): number => results[index] ?? 0;
  return {
    results,
    listeners: [
      ({ code }) => void (results[0] = at(0) + code),
      ({ atNs }) => void (results[1] = at(1) ^ atNs),
      (event) => {
        if (event.code > 3) results[2] = at(2) + 1;
      },
      (event) => void (results[3] = Math.imul(at(3), 31) + event.code),
      ({ atNs, code }) => void (results[4] = at(4) + atNs * code),
      (event) => {
        results[5] = Math.max(at(5), event.atNs);
      },
      ({ atNs }) => {
        results[6] = atNs - last;
        last = atNs;
      },
      (event) => void (results[7] = at(7) ^ (event.code << 3)),
      ({ code }) => {
        results[8] = code % 2 === 0 ? at(8) + 1 : at(8) - 3;
      },
      (event) => {
        const { atNs, code } = event;
        results[9] = (at(9) >>> 1) + atNs + code;
      },
      ({ atNs }) => void (results[10] = at(10) + (atNs & 0xff)),
      (event) => {
        switch (event.code) {
          case 0:
            results[11] = at(11) + 7;
            break;
          case 5:
            results[11] = at(11) ^ 0x55;
            break;
          default:
            results[11] = at(11) - 1;
        }
      },
      ({ atNs, code }) => void (results[12] = Math.min(at(12), code - atNs)),
      (event) => void (results[13] = at(13) + Math.clz32(event.atNs)),
      ({ code, atNs }) => {
        if (atNs % 5 === code) results[14] = at(14) + atNs;
      },
      (event) => void (results[15] = Math.imul(at(15) ^ event.atNs, 0x0100_0193)),
    ],
    publish(emit, events) {
      for (let i = 0; i < events; i += 1) emit({ atNs: i, code: i & 7 });
    },
    async publishAwaiting(emit, events) {
      for (let i = 0; i < events; i += 1) await emit({ atNs: i, code: i & 7 });
    },
  };
}

/**
 * A load whose functions share nothing with those of another one. Else the engine would learn from all emitters what
 * it may expect in the loop and in the listeners, and none would be measured as it runs in a program of its own.
 */
export function compileLoad(): Load {
  return (runInThisContext(`(${newLoad.toString()})`) as typeof newLoad)();
}
