import { duplexPair, type Duplex } from 'node:stream';
import { framed } from '@rmk/driver';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serveGdb, type GdbSessionEnd } from '../../src/gdb/gdbSession.js';
import { RequestReader, unescaped, type GdbRequest } from '../../src/gdb/requestReader.js';
import { TARGET_DESCRIPTION } from '../../src/gdb/targetRegisters.js';
import type { TimeTravel } from '../../src/debug/timeTravel.js';
import type { EmbeddedMachine } from '../../src/embeddedMachine.js';
import { assembledElf, CYCLE_NS, exits, NOTES, stores } from '../guestFixtures.js';
import { machineOf } from '../debug/debuggedGuest.js';

interface Connected {
  readonly machine: EmbeddedMachine;
  readonly travel: TimeTravel;
  readonly stream: Duplex;
  readonly end: Promise<GdbSessionEnd>;
  /** Sends a packet. Gives all that comes up to the response, acknowledgements and text included. */
  readonly ask: (packet: string) => Promise<string>;
}

function connected(build = stores): Connected {
  const machine = machineOf({ name: 'vm', elf: assembledElf(build), memoryBytes: 32 * 4096 });
  const [stream, served] = duplexPair();
  const travel = machine.timeTravel({ intervalCycles: 100 });
  const end = serveGdb(served, {
    travel,
    monitor: (command) => Promise.resolve(`heard ${command}\n`),
  });
  stream.setEncoding('latin1');
  let heard = '';
  let answered: () => void = () => {};
  stream.on('data', (piece: string) => {
    heard += piece;
    answered();
  });
  stream.on('error', () => {});
  return {
    machine,
    travel,
    stream,
    end,
    ask: async (packet) => {
      heard = '';
      stream.write(framed(packet), 'latin1');
      const isAnswered = () => heard.replaceAll(/\$O(?:[0-9a-f]{2})+#../g, '').includes('#');
      while (!isAnswered() || !/#[0-9a-f]{2}$/.test(heard))
        await new Promise<void>((resolve) => (answered = resolve));
      return heard;
    },
  };
}

const said = (text: string): string => `+${framed(text)}`;
const hex = (text: string): string => Buffer.from(text).toString('hex');

describe('a gdb server', () => {
  it('says what it can', async () => {
    const { ask } = connected();
    const features = await ask('qSupported:multiprocess+;swbreak+');
    expect(features).toContain('ReverseStep+;ReverseContinue+');
    expect(features).toContain('PacketSize=4000');
    expect(await ask('vCont?')).toBe(said('vCont;c;C;s;S'));
    expect(await ask('qAttached')).toBe(said('1'));
    expect(await ask('vMustReplyEmpty')).toBe(said(''));
    expect(await ask('?')).toBe(said('T05thread:1;'));
  });

  it('acknowledges until it is asked not to', async () => {
    const { ask } = connected();
    expect(await ask('qC')).toBe(said('QC1'));
    expect(await ask('QStartNoAckMode')).toBe(said('OK'));
    expect(await ask('qC')).toBe(framed('QC1'));
  });

  it('asks again for a damaged packet, and repeats a response that was damaged', async () => {
    const { ask, stream } = connected();
    stream.write('$qC#00');
    expect(await ask('qC')).toBe(`-${said('QC1')}`);
    stream.write('-');
    expect(await ask('qfThreadInfo')).toBe(`${framed('QC1')}${said('m1')}`);
  });

  it('reads and writes registers', async () => {
    const { ask, machine } = connected();
    expect((await ask('g')).slice(2, -3)).toBe(`${'00000000'.repeat(32)}00000080`);
    expect(await ask('Pa=78563412')).toBe(said('OK'));
    expect(await machine.readRegister('a0')).toBe(0x1234_5678n);
    expect(await ask('pa')).toBe(said('78563412'));
    expect(await ask('p0')).toBe(said('00000000'));
    // mscratch, and the privilege level.
    expect(await ask(`P${(65 + 0x340).toString(16)}=01000000`)).toBe(said('OK'));
    expect(await machine.readRegister('mscratch')).toBe(1n);
    expect(await ask(`p${(65 + 4096).toString(16)}`)).toBe(said('03000000'));
    const all = `00000000${'01000000'.repeat(31)}04000080`;
    expect(await ask(`G${all}`)).toBe(said('OK'));
    expect((await ask('g')).slice(2, -3)).toBe(all);
    for (const wrong of ['p7fff', 'P21=00', 'G00', `G${all.replace('0400', '0500')}`, 'p', 'Pzz=1'])
      expect(await ask(wrong)).toBe(said('E01'));
  });

  it('reads and writes RAM, and nothing else', async () => {
    const { ask, machine } = connected();
    expect(await ask(`M${NOTES.toString(16)},3:616263`)).toBe(said('OK'));
    expect(await ask(`X${(NOTES + 3).toString(16)},3:x}\x03}]`)).toBe(said('OK'));
    expect(await ask(`m${NOTES.toString(16)},6`)).toBe(said(hex('abcx#}')));
    expect(await machine.read(NOTES, 3)).toEqual(new TextEncoder().encode('abc'));
    // What begins in RAM is read as far as RAM goes.
    expect((await ask('m8001ffff,10')).length).toBe('+$00#60'.length);
    for (const elsewhere of [
      'm10000000,4',
      'm80020000,1',
      'mffffffff,2',
      'M10000000,1:00',
      'M8001ffff,2:0000',
    ])
      expect(await ask(elsewhere)).toBe(said('E0e'));
    for (const wrong of [
      'm',
      'm80000000',
      'm80000000,4,4',
      'M80000000,2:00',
      'M80000000,1:0',
      'mg,1',
      'm123456789,1',
    ])
      expect(await ask(wrong)).toBe(said('E01'));
  });

  it('describes the hart and the memory, in parts', async () => {
    const { ask } = connected();
    let text = '';
    for (let part = 'm'; part === 'm';) {
      const response = (await ask(`qXfer:features:read:target.xml:${text.length.toString(16)},100`)).slice(
        2,
        -3,
      );
      part = response[0] ?? '';
      text += response.slice(1);
    }
    expect(text).toBe(TARGET_DESCRIPTION);
    expect(await ask('qXfer:memory-map:read::0,1000')).toContain('start="0x80000000" length="0x20000"');
    expect(await ask('qXfer:features:read:other.xml:0,1000')).toBe(said('E01'));
    expect(await ask('qXfer:auxv:read::0,1000')).toBe(said('E01'));
  });

  it('steps, continues, and goes back', async () => {
    const { ask, machine } = connected();
    expect(await ask('s')).toBe(said('T05thread:1;'));
    expect(await ask('vCont;s:1;c')).toBe(said('T05thread:1;'));
    expect(machine.instructions).toBe(2);
    expect(await ask('bs')).toBe(said('T05thread:1;'));
    expect(machine.instructions).toBe(1);
    expect(await ask('Z2,80011000,4')).toBe(said('OK'));
    expect(await ask('c')).toBe(said('T05watch:80011000;thread:1;'));
    // As gdb does: the guest stops before the access, also on the way back.
    await ask('s');
    const { instructions } = machine;
    expect(await ask('bc')).toBe(said('T05watch:80011000;thread:1;'));
    expect(machine.instructions).toBe(instructions);
    await ask('bs');
    expect(await ask('z2,80011000,4')).toBe(said('OK'));
    expect(await ask('bc')).toBe(said('T05replaylog:begin;thread:1;'));
    expect(await ask('bs')).toBe(said('T05replaylog:begin;thread:1;'));
    expect(await ask('Z0,80000004,4')).toBe(said('OK'));
    expect(await ask('C05')).toBe(said('T05thread:1;'));
    // The guest sees its own code, not a breakpoint.
    expect(await ask('Z5,80000004,4')).toBe(said(''));
    for (const wrong of ['Z0', 'Z2,80000000,0', 'Z2,80000000,2000', 'cx'])
      expect(await ask(wrong)).toBe(said('E01'));
  });

  it('says that the guest ended, and lets one go back from there', async () => {
    const { ask } = connected(exits(3, 100));
    const end = await ask('c');
    expect(end).toContain(hex('RMK: the guest switched itself off with code 3.\n'));
    expect(end).toContain('T05replaylog:end;');
    expect(await ask('bs')).toBe(said('T05thread:1;'));
  });

  it('stops at ctrl-C', async () => {
    const { ask, stream } = connected();
    const stopped = ask('c');
    stream.write('\x03');
    expect(await stopped).toBe(said('T02thread:1;'));
  });

  it('stops at a ctrl-C that arrives together with the command', async () => {
    const { ask, stream, machine } = connected();
    stream.write(`${framed('c')}\x03`);
    expect(await ask('qC')).toContain(framed('T02thread:1;'));
    expect(machine.instructions).toBe(0);
  });

  it('says why it refuses', async () => {
    const { ask, travel } = connected();
    expect(await ask('P20=01000000')).toBe(
      said("E.register 'pc' cannot be set to 0x1: instructions lie at multiples of 2"),
    );
    for (let index = 0; index < 1024; index++) travel.stops.addBreakpoint(index * 4);
    expect(await ask('Z0,80000000,4')).toBe(
      said('E.there are 1024 breakpoints and watchpoints. Remove some first.'),
    );
  });

  it('ends when its last command has, so that none moves the guest of the next gdb', async () => {
    const { ask, stream, end, machine, travel } = connected();
    await travel.goto(3_000_000);
    const before = machine.snapshot();
    await ask('Z0,80010000,4');
    void ask('bc');
    while (machine.equals(before)) await new Promise((resolve) => setImmediate(resolve));
    stream.end();
    expect(await end).toBe('gone');
    // The command was interrupted, and has put the guest back.
    expect(machine.equals(before)).toBe(true);
    expect(travel.stops.hasAny).toBe(false);
  });

  it('executes what is typed behind monitor', async () => {
    const { ask } = connected();
    expect(await ask(`qRcmd,${hex('goto 5')}`)).toBe(
      `+${framed(`O${hex('heard goto 5\n')}`)}${framed('OK')}`,
    );
  });

  it('ends with the guest, or leaves it', async () => {
    const one = connected();
    one.stream.write(framed('k'));
    expect(await one.end).toBe('killed');
    const two = connected();
    expect(await two.ask('D')).toBe(said('OK'));
    expect(await two.end).toBe('detached');
    const three = connected();
    void three.ask('c');
    three.stream.end();
    expect(await three.end).toBe('gone');
  });
});

describe('hostile requests', () => {
  const kind = fc.constantFrom(...'?gGpPmMXcsCSbZzHTqvkDR!'.split(''));
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789abcdef,:;=Z'.split('')), maxLength: 24 });
  const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data).toString('latin1'));
  const packet = fc.oneof(
    fc.tuple(kind, digits).map(([first, rest]) => framed(first + rest)),
    fc.tuple(kind, bytes).map(([first, rest]) => framed(first + rest)),
    bytes,
  );

  it('are answered or refused, and the guest goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { maxLength: 20 }), async (packets) => {
        const { stream, end, machine, travel } = connected((program) => program.label('here').jump('here'));
        for (const each of packets) stream.write(each, 'latin1');
        await new Promise((resolve) => setImmediate(resolve));
        // What runs is interrupted, what is open is ended.
        stream.write('\x03#00');
        stream.end();
        expect(['gone', 'killed', 'detached']).toContain(await end);
        // No breakpoint is left, the boot can be gone back to, and the guest goes on from there.
        expect(await travel.reverseContinue()).toEqual({ why: 'begin' });
        expect(machine.guestNs).toBe(0);
        expect(await travel.step()).toEqual({ why: 'step' });
        expect(machine.guestNs).toBe(CYCLE_NS);
        expect(travel.stops.hasAny).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('end the session where a packet has no end', async () => {
    const { stream, end } = connected();
    const refused = expect(end).rejects.toThrow('more than 16384 bytes');
    for (let piece = 0; piece < 5; piece++) stream.write('$'.padEnd(4096, 'x'));
    await refused;
  });

  it('end the session where requests pile up', async () => {
    const { stream, end } = connected();
    stream.write(framed('qC').repeat(1000));
    expect(await end).toBe('gone');
  });
});

describe('the reader of requests', () => {
  it('finds the same requests however the stream is cut', () => {
    const request = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'abc}%&'.split('')), maxLength: 8 }).map((text) => framed(text)),
      fc.constantFrom('+', '-', '\x03', 'x', '$a#00'),
    );
    fc.assert(
      fc.property(fc.array(request), fc.integer({ min: 1, max: 9 }), (parts, size) => {
        const stream = parts.join('');
        const reader = new RequestReader();
        const cut: GdbRequest[] = [];
        for (let at = 0; at < stream.length; at += size)
          cut.push(...reader.read(stream.slice(at, at + size)));
        expect(cut).toEqual(new RequestReader().read(stream));
      }),
    );
  });

  it('undoes the escapes of binary data', () => {
    expect(unescaped('a}\x03}]')).toEqual(Uint8Array.of(0x61, 0x23, 0x7d));
  });
});
