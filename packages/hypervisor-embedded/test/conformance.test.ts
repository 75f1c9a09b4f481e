import { nanoseconds, PAGE_BYTES } from '@rmk/core';
import { guestMachine } from '@rmk/testing';
import { describeHypervisor, type HypervisorSubject } from '@rmk/testing/conformance';
import { EmbeddedContext, EmbeddedHypervisor, EmbeddedPageLog, RAM_BASE, UART } from '../src/index.js';

const MEMORY_PAGES = 2048;
const FIRST_UNUSED = 1900;
const DAMAGED_BIT = 12_345;
const text = new TextEncoder();

/** The server answers a stream of requests that comes at its own pace, and writes memory all the while. */
async function server(engine: 'interpreter' | 'translator' = 'interpreter'): Promise<HypervisorSubject> {
  const hypervisor = new EmbeddedHypervisor({ slice: '1ms' });
  const machine = hypervisor.createMachine({
    ...guestMachine('server'),
    engine,
    memoryBytes: MEMORY_PAGES * PAGE_BYTES,
    input: Array.from({ length: 500 }, (_, index) => ({
      at: `${5 + index}ms` as const,
      data: text.encode(`r${index} incr count\n`),
    })),
  });
  await hypervisor.run({ untilNs: nanoseconds('6ms') });
  return {
    machine,
    guest: {
      register: 'x5',
      unusedFrames: { first: FIRST_UNUSED, count: 64 },
      busyNs: nanoseconds('8ms'),
      output: { device: UART, withinNs: nanoseconds('8ms') },
      echo: {
        device: UART,
        input: text.encode('a put apples 5\n'),
        answer: text.encode('a ok 5'),
        withinNs: nanoseconds('12ms'),
      },
    },
    runFor: (byNs) => hypervisor.run({ untilNs: machine.clock.now() + byNs }),
    addressOf: (frame) => RAM_BASE + frame * PAGE_BYTES,
    damage: {
      log: (log, frame) => {
        if (log instanceof EmbeddedPageLog) log.damage(frame, DAMAGED_BIT);
      },
      context: (context) => {
        if (context instanceof EmbeddedContext) context.damage(DAMAGED_BIT % (8 * context.bytes));
      },
    },
    close: () => hypervisor.close(),
  };
}

describeHypervisor('embedded', () => server());
describeHypervisor('embedded, with the translator', () => server('translator'));
describeHypervisor('embedded, with one VM for all tests', () => server(), { shared: true });
