import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { file, folder, json, run } from './commandFixtures.js';

const SERVER = JSON.stringify({
  name: 'a server',
  parameters: { λ: 0.001 },
  states: [
    { name: 'up', reward: 1 },
    { name: 'down', reward: 0 },
  ],
  transitions: [
    { from: 'up', to: 'down', rate: 'λ', label: 'fails' },
    { from: 'down', to: 'up', rate: 2 },
  ],
});

describe('rmk model chain', () => {
  it('solves a chain from JSON: availability, MTTF, and what holds at given times', async () => {
    const path = await file('server.json', SERVER);
    const report = await json('chain', path, '--at', '0,10');
    expect(report).toMatchObject({
      name: 'a server',
      states: 2,
      availability: expect.closeTo(2 / 2.001, 12),
      meanTimeToFailure: expect.closeTo(1000, 9),
      at: [
        { time: 0, availability: 1, reliability: 1 },
        { time: 10, reliability: expect.closeTo(Math.exp(-0.01), 12) },
      ],
    });
    expect(report['classes']).toBeUndefined();
    const { stdout } = await run('chain', path, '--at', '0,10');
    expect(stdout).toMatch(/MTTF +1000\n/);
    expect(stdout).toMatch(/up +99\.9500/);
  });

  it('solves a chain from PRISM’s files, with its rewards and its failure as a label', async () => {
    const tra = await file('x.tra', '4 5\n0 1 2\n1 0 5\n1 2 3\n1 3 0.5\n0 3 0.1\n');
    const lab = await file('x.lab', '0="init" 1="up" 2="unsafe"\n0: 0 1\n1: 1\n3: 2\n');
    const srew = await file('x.srew', '4 1\n2 7\n');
    const report = await json(
      'chain',
      tra,
      '--labels',
      lab,
      '--rewards',
      srew,
      '--up',
      'up',
      '--failed',
      'unsafe',
    );
    const safely = ((2 / 2.1) * (3 / 8.5)) / (1 - ((2 / 2.1) * 5) / 8.5);
    expect(report).toMatchObject({
      availability: 0,
      meanReward: expect.closeTo(7 * safely, 12),
      meanTimeToAbsorption: expect.any(Number),
      probabilities: { 2: expect.closeTo(safely, 12), 3: expect.closeTo(1 - safely, 12) },
    });
    const { stdout } = await run('chain', tra, '--labels', lab, '--up', 'up');
    expect(stdout).toMatch(/ends in +2: /);
    expect(stdout).toMatch(/absorbed +after/);
  });

  it('writes it in PRISM’s language, as rmk model availability writes figure 5', async () => {
    const out = join(await folder(), 'server.sm');
    await run('chain', await file('server.json', SERVER), '--prism', out);
    expect(await readFile(out, 'utf8')).toContain('const double lambda_ = 0.001;');
    const figure = join(await folder(), 'figure5.sm');
    const { stderr, code } = await run('availability', '--prism', figure, '--variants', 'dual');
    expect({ stderr, code }).toEqual({ stderr: `wrote ${figure}: dual\n`, code: 0 });
    expect(await readFile(figure, 'utf8')).toMatch(/VM-µCheckpoint[^]*lambda_p\*\(1-pc\)/);
  });

  it('refuses what is no chain, in a line', async () => {
    const path = await file('server.json', SERVER);
    for (const [args, message] of [
      [['chain'], /missing required argument 'file'/],
      [['chain', '/nonexistent.json'], /not found/],
      [['chain', await file('x.json', '{}')], /x\.json is not a chain/],
      [['chain', await file('y.tra', '2 1\n0 1\n')], /line 2/],
      [['chain', path, '--up', 'up'], /--up is for \.tra files/],
      [['chain', path, '--failed', 'dwon'], /did you mean "down"/],
      [['chain', path, '--at', '-1'], /is not a time/],
    ] as const) {
      const { stderr, stdout, code } = await run(...args);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });
});
