import { ServerModel } from '@rmk/guests';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runGuest } from './runGuest.js';

const EOT = '\u0004';
const READY = 'server: ready\n';

/** What the server must print for these lines; all are answered. */
function expectedOf(lines: readonly string[]): string {
  const model = new ServerModel();
  const answers = lines.map((line) => `${model.answer(line)}\n`);
  return READY + answers.join('') + model.end();
}

/** A conversation, as it stands in the README, too. */
const CONVERSATION: readonly (readonly [request: string, answer: string])[] = [
  ['a1 put apples 5', 'a1 ok 5'],
  ['b1 incr apples', 'b1 ok 6'],
  ['a2 get apples', 'a2 ok 6'],
  ['a3 get pears', 'a3 none'],
  ['b2 incr pears', 'b2 ok 1'],
  ['b3 sum', 'b3 ok 7'],
  ['a4 sell pears', 'a4 error unknown command'],
  ['a5 put pears -3', 'a5 error bad value'],
  ['$$', '? error bad identifier'],
  ['a6 quit', 'a6 ok'],
];

describe('the guest server', () => {
  it('answers each line with one, under the identifier that the client chose', async () => {
    const { output, exitCode } = await runGuest(
      'server',
      CONVERSATION.map(([request]) => `${request}\n`).join(''),
    );
    expect(output).toBe(
      [
        READY.trimEnd(),
        ...CONVERSATION.map(([, answer]) => answer),
        'server: 10 requests, 3 refused, 2 keys',
        'server: ok 49c92563',
        '',
      ].join('\n'),
    );
    expect(exitCode).toBe(0);
  });

  it.each([
    ['', '? error the line is empty'],
    ['   ', '? error the line is empty'],
    ['id', 'id error there is no command'],
    ['twenty-characters-id get a', '? error bad identifier'],
    ['id Get a', 'id error unknown command'],
    ['id get', 'id error too few arguments'],
    ['id get a b', 'id error too many arguments'],
    ['id sum a b c d e f', 'id error too many arguments'],
    ['id get seventeen.letters', 'id error bad key'],
    ['id get a/b', 'id error bad key'],
    ['id put a 4294967295', 'id ok 4294967295'],
    ['id put a 4294967296', 'id error bad value'],
    ['id put a 99999999999999999999', 'id error bad value'],
    ['id put a 0x10', 'id error bad value'],
    ['id put a 007', 'id ok 7'],
    ['  id   put  a 1  ', 'id ok 1'],
    [`id put a ${'0'.repeat(71)}`, 'id ok 0'],
    [`id put a ${'0'.repeat(72)}`, 'id error the line is too long'],
    ['x'.repeat(100), '? error the line is too long'],
  ])('answers %o, as its model does', async (line, answer) => {
    expect(new ServerModel().answer(line)).toBe(answer);
    expect((await runGuest('server', `${line}\n${EOT}`)).output).toBe(expectedOf([line]));
  });

  it('counts modulo 2^32', async () => {
    const lines = ['1 put a 4294967295', '2 put b 2', '3 sum', '4 incr a', '5 quit'];
    const { output } = await runGuest('server', `${lines.join('\n')}\n`);
    expect(output).toContain('3 ok 1\n4 ok 0\n');
    expect(output).toBe(expectedOf(lines));
  });

  it('refuses a key too many, and goes on', async () => {
    const lines = Array.from({ length: 12_290 }, (_, i) => `${i} incr key${i}`);
    const { output } = await runGuest('server', `${lines.join('\n')}\n${EOT}`);
    expect(output).toContain('12287 ok 1\n12288 error the store is full\n12289 error the store is full\n');
    expect(output).toBe(expectedOf(lines));
  });

  it('takes lines that end as on other systems, and a script that ends without quit', async () => {
    const { output, exitCode } = await runGuest('server', `1 incr a\r\n2 incr a\r\n3 inc${EOT}`);
    expect(output).toMatch(/^server: ready\n1 ok 1\n2 ok 2\n3 error the line is unfinished\nserver: 3 req/);
    expect(exitCode).toBe(0);
  });

  it('takes no request after quit', async () => {
    expect((await runGuest('server', '1 quit\n2 incr a\n')).output).toBe(expectedOf(['1 quit']));
  });

  it('agrees with its model, whatever it is asked', async () => {
    const word = fc.constantFrom(
      'a',
      'b',
      'key-1',
      'K_2',
      'x.y',
      'too-long-for-a-key',
      '9',
      '4294967290',
      '#',
    );
    const command = fc.constantFrom('put', 'get', 'incr', 'incr', 'sum', 'frob');
    const line = fc
      .tuple(fc.stringMatching(/^[a-z0-9]{1,6}$/), command, fc.array(word, { maxLength: 3 }))
      .map(([id, verb, words]) => [id, verb, ...words].join(' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 9, arbitrary: line }, word), { maxLength: 300 }),
        async (lines) => {
          const { output } = await runGuest('server', lines.map((text) => `${text}\n`).join('') + EOT);
          expect(output).toBe(expectedOf(lines));
        },
      ),
      { numRuns: 8 },
    );
  });
});
