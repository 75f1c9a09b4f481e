import { createServer, type Socket } from 'node:net';
import { QemuHypervisor } from '@rmk/hypervisor-qemu';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GdbStub } from '../src/gdb/gdbStub.js';
import { framed } from '@rmk/driver';
import { bootSectorGuest } from './guest/bootSectorGuest.js';
import { describeQemu } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

const TARGET = '<target><xi:include href="core.xml"/></target>';
const CORE = `<feature>
  <!-- <reg name="cs_base" bitsize="64"/>
       <reg name="ss_base" bitsize="64"/> -->
  <reg name="rax" bitsize="64" regnum="0"/>
  <reg name="rip" bitsize="64" regnum="16"/>
  <reg name="eflags" bitsize="32"/>
</feature>`;

/** A stub that sends what `answer` returns, and nothing if that is undefined. Reports stops as QEMU does. */
async function stub(answer: (request: string) => string | undefined): Promise<string> {
  const path = `${await temporaryFolder()}/gdb`;
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.write(framed('T02thread:01;'));
    socket.setEncoding('latin1').on('data', (text: string) => {
      for (const [, request = ''] of text.matchAll(/\$([^#]*)#../g)) {
        const reply = answer(request);
        if (reply === 'hang up') socket.destroy();
        else if (reply !== undefined) socket.write(`+${framed(reply)}`);
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}

function described(request: string): string | undefined {
  if (request.startsWith('qXfer:features:read:target.xml')) return `l${TARGET}`;
  return request.startsWith('qXfer:features:read:core.xml') ? `l${CORE}` : undefined;
}

describe('GdbStub', () => {
  it('numbers registers as the description does, without those in comments', async () => {
    const asked: string[] = [];
    const gdb = await GdbStub.open(
      await stub((request) => {
        asked.push(request);
        return described(request) ?? (request === 'p11' ? '46020000' : 'E14');
      }),
    );
    expect(gdb.names).toEqual(['rax', 'rip', 'eflags']);
    expect(await gdb.read('eflags')).toBe(0x246n);
    await expect(gdb.read('rip')).rejects.toMatchObject({ code: 'RMK_ERR_HYPERVISOR' });
    expect(asked).toContain('p10');
  });

  it('writes least significant byte first, and refuses what does not fit', async () => {
    const asked: string[] = [];
    const gdb = await GdbStub.open(
      await stub((request) => {
        asked.push(request);
        return described(request) ?? 'OK';
      }),
    );
    await gdb.write('eflags', 0x246n);
    expect(asked).toContain('P11=46020000');
    await expect(gdb.write('eflags', 1n << 32n)).rejects.toMatchObject({ code: 'RMK_ERR_INPUT' });
    await expect(gdb.write('eflags', -1n)).rejects.toMatchObject({ code: 'RMK_ERR_INPUT' });
    await expect(gdb.write('none', 0n)).rejects.toMatchObject({ code: 'RMK_ERR_UNKNOWN' });
  });

  it.each<[what: string, answer: string, code: string]>([
    ['hangs up', 'hang up', 'RMK_ERR_GONE'],
    ['knows no description', '', 'RMK_ERR_HYPERVISOR'],
    ['describes no register', 'l<target/>', 'RMK_ERR_HYPERVISOR'],
    ['never ends its description', `m${'x'.repeat(3000)}`, 'RMK_ERR_HYPERVISOR'],
  ])('refuses a stub that %s', async (_, answer, code) => {
    await expect(GdbStub.open(await stub(() => answer))).rejects.toMatchObject({ code });
  });
});

describeQemu('GdbStub and QEMU', () => {
  it('gives the registers of a running VM, which runs on', async () => {
    const hypervisor = new QemuHypervisor({ control: 'none', folder: await temporaryFolder('/dev/shm') });
    onTestFinished(() => hypervisor.close());
    const machine = await hypervisor.startMachine(bootSectorGuest('guest'));
    expect(machine.registers).toEqual(
      expect.arrayContaining(['rax', 'rip', 'eflags', 'cr3', 'fs_base', 'xmm15']),
    );
    expect(await machine.readRegister('rip')).toBeLessThan(0x8000n);
    expect(await machine.readRegister('cs')).toBe(0n);
    expect((await machine.readRegister('cr0')) & 1n, 'real mode').toBe(0n);
    expect(await machine.readRegister('mxcsr')).toBe(0x1f80n);
    const before = machine.clock.now();
    const ticks = (): Promise<Uint8Array> => machine.read(0x9000, 4);
    const first = await ticks();
    await expect.poll(ticks, { timeout: 10_000 }).not.toEqual(first);
    expect(machine.clock.now()).toBeGreaterThan(before);
  });
});
