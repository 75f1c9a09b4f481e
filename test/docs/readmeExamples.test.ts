import { readFileSync } from 'node:fs';
import { checkpoint } from '@rmk/checkpoint';
import { CHECKPOINTING, CHECKPOINTS, P_PTABLE, P_VCPU, P_VMIO, P_VMSIGNAL } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { readGuest } from '@rmk/guests';
import { hangDetector } from '@rmk/hang-detector';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { pinVmsignal, RISCV_BARE_METAL } from '@rmk/pin-vmsignal';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { recovery } from '@rmk/recovery';
import { startRig } from '@rmk/testing';
import { afterEach, describe, expect, it } from 'vitest';

/** What an example prints, as its README shows it. */
const printed: string[] = [];
const console = { log: (...what: readonly unknown[]) => void printed.push(what.map(String).join(' ')) };

afterEach(() => void (printed.length = 0));

describe('the example in the README of', () => {
  it('preset-microcheckpoint', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
    const domain = await createDomain({
      name: 'tasks',
      machine,
      plugins: microcheckpoint({ interval: '100ms', hang: { threshold: '300ms' } }),
    });
    await hypervisor.run({ untilNs: 1_000_000_000 });
    const { retain, retained } = domain.get(CHECKPOINTS);
    console.log(`${retained.length} of ${retain} checkpoints, the newest of ${retained[0]?.takenAtNs} ns`);
    await domain.stop();
    expectShown('packages/preset-microcheckpoint');
  });

  it('pin-vcpu', async () => {
    const { domain, hypervisor } = await startRig({ guest: 'tasks', plugins: [pinVcpu()] });
    await hypervisor.run({ untilNs: 50_000_000 });
    const vcpu = domain.get(P_VCPU);
    const suspension = await vcpu.suspend();
    await vcpu.writeRegister('x10', (await vcpu.readRegister('x10')) ^ (1n << 5n)); // a bit flip
    await vcpu.resume(suspension);
    expectShown('plugins/pin-vcpu');
  });

  it('pin-ptable', async () => {
    const { domain } = await startRig({ guest: 'tasks', plugins: [pinPtable()] });
    const pageTable = domain.get(P_PTABLE);
    domain.bus.on('EVT_PAGEFAULT', ({ frames }) => console.log('page frames', frames));
    const { log } = await domain.get(CHECKPOINTING).checkpoint({ preSave: 'none' });
    await pageTable.write(0x8100_0000, Uint8Array.of(1, 2, 3));
    console.log('saved:', await log.frames());
    expectShown('plugins/pin-ptable');
  });

  it('pin-vmsignal', async () => {
    const ordinary = [...RISCV_BARE_METAL, { cause: 'load-address-misaligned', privilege: 'user' } as const];
    const { domain } = await startRig({ guest: 'tasks', plugins: [pinVmsignal({ ordinary })] });
    domain.bus.on('EVT_ERRORDETECTED', ({ kind, cause }) => console.log(`${kind}: ${cause}`));
    await domain.get(P_VMSIGNAL).raise('load-access-fault');
    expectShown('plugins/pin-vmsignal');
  });

  it('pin-vmschl', async () => {
    const { domain, hypervisor } = await startRig({ guest: 'tasks', plugins: [pinVmschl()] });
    domain.bus.on('EVT_VMSCHEDULED', ({ atNs, cpuNs, idleNs, progress }) => {
      const signs = progress.map(({ sign }) => sign).join(', ');
      console.log(`${atNs / 1e6} ms: ${cpuNs} ns busy, ${idleNs} ns idle; ${signs}`);
    });
    await hypervisor.run({ untilNs: 30_000_001 });
    expectShown('plugins/pin-vmschl');
  });

  it('pin-vmio', async () => {
    const { domain, hypervisor } = await startRig({ guest: 'tasks', plugins: [pinVmio()] });
    const text = new TextDecoder();
    let received = '';
    domain.bus.on('EVT_VMOUTPUT', ({ data }) => void (received += text.decode(data)));
    await domain.get(P_VMIO).input('uart', Uint8Array.of(0x0a));
    await hypervisor.run({ untilNs: 20_000_000 });
    expect(received).toMatch(/^tasks: 10 tasks/);
    expectShown('plugins/pin-vmio');
  });

  it('cowb', async () => {
    const { domain, hypervisor } = await startRig({
      guest: 'tasks',
      plugins: [pinPtable(), checkpoint(), cowb()],
    });
    domain.bus.on('EVT_CHECKPOINTED', ({ closed }) => {
      if (closed !== undefined) expect(closed.pagesSaved).toBe(closed.pageFaults);
    });
    await hypervisor.run({ untilNs: 501_000_000 });
    console.log(`${domain.get(CHECKPOINTS).retained.length} checkpoints retained`);
    expectShown('plugins/cowb');
  });

  it('cowp', async () => {
    const { domain, hypervisor } = await startRig({
      guest: 'tasks',
      plugins: [pinPtable(), checkpoint(), cowb()],
    });
    domain.bus.on('EVT_CHECKPOINTED', ({ atNs, algorithm }) => console.log(`${atNs / 1e6} ms: ${algorithm}`));
    await hypervisor.run({ untilNs: 60_000_000 });
    await domain.install(cowp({ clusterPages: 8 })); // rules from the next checkpoint on
    await domain.remove('@rmk/cowb');
    await hypervisor.run({ untilNs: 160_000_000 });
    expectShown('plugins/cowp');
  });

  it('hang-detector', async () => {
    const plugins = [pinVmschl(), pinVcpu(), hangDetector({ threshold: '100ms' })];
    const rig = await startRig({ guest: 'tasks', plugins });
    rig.domain.bus.on('EVT_ERRORDETECTED', ({ kind, atNs }) => console.log(`${kind} at ${atNs / 1e6} ms`));
    await rig.advance('50ms');
    const vcpu = rig.domain.get(P_VCPU);
    await vcpu.writeRegister('privilege', 3n);
    await vcpu.writeRegister('mie', 0n); // no interrupts, and
    await vcpu.writeRegister('pc', rig.symbol('park')); // an endless loop
    await rig.advance('150ms');
    expectShown('plugins/hang-detector');
  });

  it('recovery', async () => {
    const { domain, hypervisor } = await startRig({
      guest: 'tasks',
      plugins: [
        pinVcpu(),
        pinPtable(),
        pinVmsignal(),
        checkpoint({ retain: 4 }),
        cowb(),
        recovery({ maxRestarts: 1 }),
      ],
    });
    domain.bus.on('EVT_RECOVERED', ({ record: { trigger, rung, checkpoint: used } }) =>
      console.log(`${trigger.kind}: ${rung}, a checkpoint of ${(used?.takenAtNs ?? 0) / 1e6} ms`),
    );
    await hypervisor.run({ untilNs: 210_000_000 });
    await domain.get(P_VMSIGNAL).raise('load-access-fault');
    await hypervisor.run({ untilNs: 300_000_000 });
    expectShown('plugins/recovery');
  });
});

describe('the README of testing', () => {
  it('shows a detector with its test as it stands here', () => {
    expect(contentsOf('packages/testing/README.md')).toContain(
      `\`\`\`ts\n${contentsOf('test/pipelines/thirdPartyDetector.test.ts')}\`\`\``,
    );
  });
});

/** The README holds the body of the example that calls this, and what it printed. */
function expectShown(folder: string): void {
  const readme = contentsOf(`${folder}/README.md`);
  const name = folder.split('/').at(-1) ?? '';
  const source = contentsOf('test/docs/readmeExamples.test.ts');
  const begin = source.indexOf('\n', source.indexOf(`  it('${name}', async () => {`)) + 1;
  const body = source.slice(begin, source.indexOf('    expectShown(', begin)).replaceAll(/^ {4}/gm, '');
  expect(readme).toContain(`\`\`\`ts\n${body}\`\`\``);
  if (printed.length > 0) expect(readme).toContain(`\`\`\`\n${printed.join('\n')}\n\`\`\``);
}

function contentsOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}
