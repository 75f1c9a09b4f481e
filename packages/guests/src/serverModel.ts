import { crc32 } from 'node:zlib';

const LINE_BYTES_MAX = 80;
const NAME = /^[A-Za-z0-9._-]{1,16}$/;
const VALUE_MAX = 0xffff_ffff;
const KEYS_MAX = 12_288;
const ARGUMENTS: ReadonlyMap<string, number> = new Map([
  ['put', 2],
  ['get', 1],
  ['incr', 1],
  ['sum', 0],
  ['quit', 0],
]);

/**
 * What the guest `server` answers, worked out from its description and from nothing of its C sources: what its output
 * is compared with. Knows requests of ASCII alone.
 */
export class ServerModel {
  private readonly values = new Map<string, number>();
  private requests = 0;
  private refused = 0;

  /** The answer to one line (without its end), without a line feed. */
  answer(line: string): string {
    this.requests++;
    const words = line
      .slice(0, LINE_BYTES_MAX)
      .split(' ')
      .filter((word) => word !== '');
    const [id = '', command = '', key = '', value = ''] = words;
    const problem = problemOf(line, words);
    const result = problem === undefined ? this.serve(command, key, value) : refusal(problem);
    if (result.startsWith('error')) this.refused++;
    return `${NAME.test(id) ? id : '?'} ${result}`;
  }

  /** The two lines at the end, after `quit` or EOT, each with its line feed. */
  end(): string {
    let digest = 0;
    for (const [key, value] of this.values) digest = (digest + crc32(wordOf(value), crc32(key))) >>> 0;
    const { requests, refused } = this;
    const state = [requests, refused, this.values.size, this.sum, digest];
    const checksum = state.reduce((crc, part) => crc32(wordOf(part), crc), 0);
    return (
      `server: ${requests} requests, ${refused} refused, ${this.values.size} keys\n` +
      `server: ok ${checksum.toString(16).padStart(8, '0')}\n`
    );
  }

  private serve(command: string, key: string, value: string): string {
    switch (command) {
      case 'put':
        return this.put(key, Number(value));
      case 'incr':
        return this.put(key, ((this.values.get(key) ?? 0) + 1) >>> 0);
      case 'get': {
        const found = this.values.get(key);
        return found === undefined ? 'none' : `ok ${found}`;
      }
      case 'sum':
        return `ok ${this.sum}`;
      default:
        return 'ok';
    }
  }

  private put(key: string, value: number): string {
    if (!this.values.has(key) && this.values.size === KEYS_MAX) return refusal('the store is full');
    this.values.set(key, value);
    return `ok ${value}`;
  }

  private get sum(): number {
    let sum = 0;
    for (const value of this.values.values()) sum = (sum + value) >>> 0;
    return sum;
  }
}

/** The first thing that is wrong, in the order in which the server looks. */
function problemOf(line: string, words: readonly string[]): string | undefined {
  const [id = '', command, key = '', value = ''] = words;
  if (line.length > LINE_BYTES_MAX) return 'the line is too long';
  if (words.length === 0) return 'the line is empty';
  if (!NAME.test(id)) return 'bad identifier';
  if (command === undefined) return 'there is no command';
  const takes = ARGUMENTS.get(command);
  if (takes === undefined) return 'unknown command';
  if (words.length - 2 !== takes) return `too ${words.length - 2 < takes ? 'few' : 'many'} arguments`;
  if (takes > 0 && !NAME.test(key)) return 'bad key';
  if (takes > 1 && !(/^\d+$/.test(value) && Number(value) <= VALUE_MAX)) return 'bad value';
  return undefined;
}

function refusal(problem: string): string {
  return `error ${problem}`;
}

/** As it lies in the guest's memory. */
function wordOf(value: number): Uint8Array {
  const bytes = new Uint8Array(Uint32Array.BYTES_PER_ELEMENT);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
