import { setTimeout as wait } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { nanoseconds, PAGE_BYTES, type Nanoseconds, type VirtualMachine } from '@rmk/core';
import { QemuHypervisor } from '@rmk/hypervisor-qemu';
import { describeHypervisor, type HypervisorSubject } from '@rmk/testing/conformance';
import { bootSectorGuest, UNUSED_FRAME } from './guest/bootSectorGuest.js';
import { describeQemu, MORTAL_QEMU } from './qemuPresent.js';

const text = new TextEncoder();
/** The host has other things to do: how late it may be is no property of the driver. */
const SLACK_NS = nanoseconds('500ms');
const LOOK_AGAIN_MS = 2;

async function bootSector(control: 'in-process' | 'qmp'): Promise<HypervisorSubject> {
  const folder = await mkdtemp('/dev/shm/rmk-test-');
  const hypervisor = new QemuHypervisor({ qemu: MORTAL_QEMU, folder, control });
  const machine = await hypervisor.startMachine(bootSectorGuest('conformance'));
  return {
    machine,
    guest: {
      register: 'rbp',
      unusedFrames: { first: UNUSED_FRAME, count: 64 },
      busyNs: nanoseconds('50ms'),
      output: { device: 'serial', withinNs: nanoseconds('100ms') },
      echo: {
        device: 'serial',
        input: text.encode('a'),
        answer: text.encode('[a]'),
        withinNs: nanoseconds('200ms'),
      },
    },
    slackNs: SLACK_NS,
    runFor: (byNs) => runFor(machine, byNs),
    addressOf: (frame) => frame * PAGE_BYTES,
    close: async () => {
      await hypervisor.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until this much domain time has passed, or domain time stops. */
async function runFor(machine: VirtualMachine, byNs: Nanoseconds): Promise<void> {
  const until = machine.clock.now() + byNs;
  for (;;) {
    const before = machine.clock.now();
    if (before >= until) return;
    await wait(Math.max(LOOK_AGAIN_MS, (until - before) / 1e6));
    if (machine.clock.now() === before) return;
  }
}

describeQemu('The contract of the port', () => {
  const options = { shared: true, propertyRuns: 10 };
  describeHypervisor('QEMU in-process, one VM for all tests', () => bootSector('in-process'), options);
  describeHypervisor('QEMU by QMP, one VM for all tests', () => bootSector('qmp'), options);
});
