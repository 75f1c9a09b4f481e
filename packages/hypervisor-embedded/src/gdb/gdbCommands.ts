import { hasCode, PAGE_BYTES } from '@rmk/core';
import { numberText } from '@rmk/driver';
import type { WatchKind, Watchpoint } from '../debug/stopPoints.js';
import type { Stopped, TimeTravel } from '../debug/timeTravel.js';
import { RAM_BASE } from '../memory/guestMemory.js';
import { PACKET_BYTES, unescaped } from './requestReader.js';
import { stopReply, stopText } from './stopReply.js';
import { GENERAL_REGISTERS, memoryMap, TARGET_DESCRIPTION, TARGET_REGISTERS } from './targetRegisters.js';

/** What a gdb is connected to. */
export interface GdbTarget {
  readonly travel: TimeTravel;
  /** Executes a command of `monitor`. Resolves to what gdb shows. */
  monitor(command: string, signal: AbortSignal): Promise<string>;
}

/** Shows text in gdb while it waits. */
export type Say = (text: string) => void;

const OK = 'OK';
const ERROR = 'E01';
const NO_MEMORY = 'E0e';
const UNKNOWN = '';
const REGISTER_DIGITS = 8;
/** Of a watchpoint. gdb asks for those of its expressions. */
const MOST_WATCHED = PAGE_BYTES;
const FEATURES = [
  `PacketSize=${PACKET_BYTES.toString(16)}`,
  'QStartNoAckMode+',
  'qXfer:features:read+',
  'qXfer:memory-map:read+',
  'vContSupported+',
  'ReverseStep+',
  'ReverseContinue+',
].join(';');
const WATCH_KINDS: ReadonlyMap<string, WatchKind> = new Map([
  ['2', 'write'],
  ['3', 'read'],
  ['4', 'access'],
]);

/** Executes the requests of a gdb. */
export class GdbCommands {
  private last: Stopped = { why: 'step' };

  constructor(
    private readonly target: GdbTarget,
    private readonly say: Say,
  ) {}

  /** The response, empty for a request that is not known. */
  async respond(packet: string, signal: AbortSignal): Promise<string> {
    try {
      return await this.execute(packet, signal);
    } catch (error) {
      if (hasCode(error)) return refusal(error.reason);
      throw error;
    }
  }

  private async execute(packet: string, signal: AbortSignal): Promise<string> {
    const rest = packet.slice(1);
    const kind = packet.slice(0, 1);
    switch (kind) {
      case '?':
        return stopReply(this.last);
      case 'g':
        return this.readRegisters();
      case 'G':
        return this.writeRegisters(rest);
      case 'p':
        return this.readRegister(rest);
      case 'P':
        return this.writeRegister(rest);
      case 'm':
        return this.readMemory(rest);
      case 'M':
        return this.writeMemory(rest, (data) => (isHex(data) ? Buffer.from(data, 'hex') : undefined));
      case 'X':
        return this.writeMemory(rest, unescaped);
      case 'c':
      case 's':
        return this.resume(kind, rest, signal);
      case 'C':
      case 'S':
        // The guest has no signals to be given.
        return this.resume(kind === 'C' ? 'c' : 's', rest.split(';')[1] ?? '', signal);
      case 'b':
        return this.back(rest, signal);
      case 'Z':
      case 'z':
        return this.changeStop(kind === 'Z', rest);
      case 'H':
      case 'T':
        return OK;
      case 'q':
        return this.query(packet, signal);
      case 'v':
        return this.verbose(packet, signal);
      default:
        return UNKNOWN;
    }
  }

  private async query(packet: string, signal: AbortSignal): Promise<string> {
    if (packet.startsWith('qSupported')) return FEATURES;
    if (packet.startsWith('qRcmd,')) return this.monitor(packet.slice('qRcmd,'.length), signal);
    if (packet.startsWith('qXfer:')) return this.transfer(packet);
    if (packet.startsWith('qSymbol:')) return OK;
    switch (packet) {
      case 'qAttached':
        return '1';
      case 'qC':
        return 'QC1';
      case 'qfThreadInfo':
        return 'm1';
      case 'qsThreadInfo':
        return 'l';
      default:
        return UNKNOWN;
    }
  }

  private async verbose(packet: string, signal: AbortSignal): Promise<string> {
    if (packet === 'vCont?') return 'vCont;c;C;s;S';
    // There is one thread: what the first action says holds for it.
    const action = /^vCont;([csCS])/.exec(packet)?.[1];
    return action === undefined ? UNKNOWN : this.resume(action.toLowerCase(), '', signal);
  }

  private async resume(how: string, from: string, signal: AbortSignal): Promise<string> {
    const { travel } = this.target;
    if (from !== '') {
      const pc = hexNumber(from);
      if (pc === undefined) return ERROR;
      await travel.change(() => travel.machine.writeRegister('pc', BigInt(pc)));
    }
    if (how === 's') return this.stopped(await travel.step(signal));
    const stopped = await travel.continue(signal);
    // gdb expects a watchpoint of this architecture to stop before the access, and then makes the step itself.
    if (stopped.why === 'watchpoint') await travel.reverseStep();
    return this.stopped(stopped);
  }

  private async back(how: string, signal: AbortSignal): Promise<string> {
    const { travel } = this.target;
    if (how === 's') return this.stopped(await travel.reverseStep());
    if (how !== 'c') return UNKNOWN;
    const stopped = await travel.reverseContinue(signal);
    // As above: gdb undoes the access itself.
    if (stopped.why === 'watchpoint') await travel.step();
    return this.stopped(stopped);
  }

  private stopped(stopped: Stopped): string {
    this.last = stopped;
    const text = stopText(stopped);
    if (text !== undefined) this.say(text);
    return stopReply(stopped);
  }

  private async readRegisters(): Promise<string> {
    let digits = '';
    for (const { number } of GENERAL_REGISTERS) digits += await this.valueOf(number);
    return digits;
  }

  private async writeRegisters(digits: string): Promise<string> {
    if (!isHex(digits) || digits.length !== GENERAL_REGISTERS.length * REGISTER_DIGITS) return ERROR;
    const { travel } = this.target;
    const values = GENERAL_REGISTERS.flatMap(({ name }, index) => {
      const value = littleEndian(digits.slice(index * REGISTER_DIGITS, (index + 1) * REGISTER_DIGITS));
      return name === undefined ? [] : [{ name, value }];
    });
    // A program counter that cannot be is the only value that is refused.
    if (values.some(({ name, value }) => name === 'pc' && value % 2n !== 0n)) return ERROR;
    await travel.change(async () => {
      for (const { name, value } of values) await travel.machine.writeRegister(name, value);
    });
    return OK;
  }

  private async readRegister(number: string): Promise<string> {
    const wanted = hexNumber(number);
    return wanted === undefined || !TARGET_REGISTERS.has(wanted) ? ERROR : this.valueOf(wanted);
  }

  private async valueOf(number: number): Promise<string> {
    const name = TARGET_REGISTERS.get(number)?.name;
    const value = name === undefined ? 0n : await this.target.travel.machine.readRegister(name);
    return numberText(value, 32);
  }

  private async writeRegister(text: string): Promise<string> {
    const [number = '', digits = ''] = text.split('=');
    const wanted = TARGET_REGISTERS.get(hexNumber(number) ?? -1);
    if (wanted === undefined || !isHex(digits) || digits.length !== REGISTER_DIGITS) return ERROR;
    const { name } = wanted;
    const { travel } = this.target;
    if (name !== undefined)
      await travel.change(() => travel.machine.writeRegister(name, littleEndian(digits)));
    return OK;
  }

  private async readMemory(text: string): Promise<string> {
    const range = rangeOf(text);
    if (range === undefined) return ERROR;
    const bytes = Math.min(range.bytes, PACKET_BYTES / 2, this.ramEnd - range.address);
    if (range.address < RAM_BASE || (bytes <= 0 && range.bytes > 0)) return NO_MEMORY;
    return Buffer.from(await this.target.travel.machine.read(range.address, bytes)).toString('hex');
  }

  private async writeMemory(text: string, dataOf: (text: string) => Uint8Array | undefined): Promise<string> {
    const colon = text.indexOf(':');
    const range = rangeOf(text.slice(0, Math.max(0, colon)));
    const data = dataOf(text.slice(colon + 1));
    if (range === undefined || data === undefined || data.length !== range.bytes) return ERROR;
    if (range.address < RAM_BASE || range.address + range.bytes > this.ramEnd) return NO_MEMORY;
    const { travel } = this.target;
    if (data.length > 0) await travel.change(() => travel.machine.write(range.address, data));
    return OK;
  }

  private changeStop(isNew: boolean, text: string): string {
    const [type = '', ...place] = text.split(',');
    const range = rangeOf(place.slice(0, 2).join(','));
    if (range === undefined) return ERROR;
    const { stops } = this.target.travel;
    const { address, bytes } = range;
    if (type === '0' || type === '1') {
      if (isNew) stops.addBreakpoint(address);
      else stops.removeBreakpoint(address);
      return OK;
    }
    const kind = WATCH_KINDS.get(type);
    if (kind === undefined) return UNKNOWN;
    if (bytes < 1 || bytes > MOST_WATCHED) return ERROR;
    const watchpoint: Watchpoint = { kind, address, bytes };
    if (isNew) stops.addWatchpoint(watchpoint);
    else stops.removeWatchpoint(watchpoint);
    return OK;
  }

  private transfer(packet: string): string {
    const [, subject, action, annex, range] = packet.split(':');
    const part = rangeOf(range ?? '');
    if (action !== 'read' || part === undefined) return ERROR;
    const text = subject === 'features' ? descriptionOf(annex) : this.mapFor(subject, annex);
    if (text === undefined) return ERROR;
    const bytes = Math.min(part.bytes, PACKET_BYTES - 1);
    const isLast = part.address + bytes >= text.length;
    return `${isLast ? 'l' : 'm'}${text.slice(part.address, part.address + bytes)}`;
  }

  private mapFor(subject: string | undefined, annex: string | undefined): string | undefined {
    return subject === 'memory-map' && annex === '' ? memoryMap(RAM_BASE, this.ramEnd - RAM_BASE) : undefined;
  }

  private async monitor(digits: string, signal: AbortSignal): Promise<string> {
    if (!isHex(digits)) return ERROR;
    this.say(await this.target.monitor(Buffer.from(digits, 'hex').toString('utf8').trim(), signal));
    return OK;
  }

  private get ramEnd(): number {
    return RAM_BASE + this.target.travel.machine.memoryPages * PAGE_BYTES;
  }
}

/** An error with its reason, in the characters that mean nothing in the protocol. */
function refusal(reason: string): string {
  return `E.${reason.replaceAll(/[^ -~]|[#$}*]/g, ' ')}`;
}

function descriptionOf(annex: string | undefined): string | undefined {
  return annex === 'target.xml' ? TARGET_DESCRIPTION : undefined;
}

function isHex(digits: string): boolean {
  return digits.length % 2 === 0 && /^[0-9a-f]*$/i.test(digits);
}

/** Of at most 32 bits. */
function hexNumber(digits: string): number | undefined {
  return /^0*[0-9a-f]{1,8}$/i.test(digits) ? Number.parseInt(digits, 16) : undefined;
}

function rangeOf(text: string): { readonly address: number; readonly bytes: number } | undefined {
  const [first = '', second = '', ...more] = text.split(',');
  const address = hexNumber(first);
  const bytes = hexNumber(second);
  return address === undefined || bytes === undefined || more.length > 0 ? undefined : { address, bytes };
}

function littleEndian(digits: string): bigint {
  return BigInt(Buffer.from(digits, 'hex').readUInt32LE(0));
}
