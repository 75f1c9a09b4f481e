import { hasCode, RmkError } from '@rmk/core';
import { ModelError } from '@rmk/model';
import { describe, expect, it } from 'vitest';
import { file, run } from './commandFixtures.js';

describe('what a user does wrong', () => {
  it.each([
    [['corruption', '--rate', '-1'], /latency rate .* not -1/],
    [['corruption', '--rate', 'NaN'], /"NaN" is not a number/],
    [['corruption', '--percentile', '1'], /percentile must lie between 0 and 1/],
    [['corruption', '--percentile', '-0.5'], /percentile/],
    [['corruption', '--interval', '0'], /interval/],
    [['corruption', '--retained', '1.5'], /--retained/],
    [['corruption', '--target', '2'], /target probability/],
    [['corruption', '--weibull', '1'], /two numbers/],
    [['corruption', '--weibull', '0,5'], /shape/],
    [['corruption', '--rate', '1', '--weibull', '1,5'], /one latency only/],
    [['corruption', '--samples', '/nonexistent'], /not found|cannot be read/],
    [['corruption', '--bogus'], /unknown option '--bogus'/],
    [['corruptoin'], /unknown command 'corruptoin'[^]*Did you mean corruption/],
    [[], /Usage: rmk model/],
    [['corruption', '--interval', 'abc'], /"abc" is not a number/],
    [['corruption', '--weibull', '1,x'], /"x" is not a number/],
    [['corruption', '--interval'], /argument missing/],
    [['corruption', 'surplus'], /too many arguments/],
    [['availability', '--bogus'], /unknown option '--bogus'/],
    [['availability', '--seed', ''], /is not a number/],
    [['advise', '--slowdown', '50=0.1', '--max-lost-work', '1e400'], /"1e400" is too large/],
    [['advise', '--draws', 'many'], /"many" is not a number/],
    [['advise', '--bogus'], /unknown option '--bogus'/],
    [['corruption', '--rate', '1', '--bound', '20'], /one latency only/],
    [['corruption', '--simulate', '1e12'], /trials must be a whole number of at most/],
    [['corruption', '--simulate', '10', '--seed', '1.5'], /--seed.*is not a whole number of 0 or more/],
    [['corruption', '--seed', '-1'], /--seed.*"-1" is not a whole number of 0 or more/],
    [['corruption', '--replications', '-1'], /--replications.*"-1" is not a whole number of 0 or more/],
    [['corruption', '--simulate', '1.5'], /trials must be a whole number of at least 1, not 1\.5/],
    [['corruption', '--table1', '--rate', '3'], /--table1 .*--rate has no effect on it/],
    [['availability', '--simulate', '1e12'], /cycles must be a whole number of at most/],
    [['availability', '--variants', ''], /there is no variant ""; known names are/],
    [['availability', '--variants', 'dual', '--sweep', 'retained=1:4:4'], /only "k" depends on it/],
    [['availability', '--sweep', 'intervalMs= :9:3'], /from a number to a number/],
    [['availability', '--param', 'vmMttfHours=1e-308'], /RMK_ERR_NUMERIC/],
    [['advise', '--slowdown', '50=0.1', '--draws', '1e9'], /draws must be a whole number of at most/],
    [['advise', '--slowdown', '50=0.1', '--max-retained', '1e9'], /longest history/],
    [['advise', '--slowdown', '50=0.1', '--weight', '1e308'], /worth nothing/],
    [['advise', '--slowdown', '50=0.1=0.2'], /"50=0\.1=0\.2" is not a slowdown/],
    [['advise', '--slowdown', '50=0.1:0.05:0.2:0.3'], /is not a slowdown/],
    [['advise', '--slowdown', '-5=0.1'], /slowdown\.0\.intervalMs/],
    [['advise', '--slowdown', ' 50=0.1, 60=x'], /slowdown\.1\.slowdown/],
    [['availability', '--set', 'nguyen2015'], /did you mean "nguyen2014"/],
    [['availability', '--variants', 'duel'], /did you mean "dual"/],
    [['availability', '--param', 'vmMttfHour=3'], /did you mean "vmMttfHours"/],
    [['availability', '--param', 'vmMttfHours=-3'], /vmMttfHours cannot be -3/],
    [['availability', '--param', 'vmMttfHours'], /write name=value/],
    [['availability', '--sweep', 'intervalMs=1:2'], /is not a sweep/],
    [['availability', '--param', 'vmMttfHours=inf'], /--param vmMttfHours: "inf" is not a number/],
    [
      ['availability', '--param', 'vmMttfHours=300', '--param', 'vmMttfHours=400'],
      /--param vmMttfHours is given twice/,
    ],
    [['availability', '--at', '-1'], /is not a time/],
    [['availability', '--at', ''], /"" is not a number/],
    [['availability', '--at', '1,,10'], /"" is not a number/],
    [['availability', '--params', '/nonexistent'], /not found|cannot be read/],
    [['advise', '--slowdown', '/nonexistent'], /not found|cannot be read/],
    [['advise', '--slowdown', '50=x'], /RMK_ERR_INPUT/],
    [['advise', '--slowdown', '50=0.1', '--weight', '-1'], /weight/],
  ])('rmk model %j: exit code 2, a message, no stack trace', async (args, message) => {
    const { stderr, stdout, code } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
  });

  it('in a file is reported with the file and the place', async () => {
    const empty = await file('empty.txt', '');
    expect((await run('corruption', '--samples', empty)).stderr).toContain(`${empty} holds no latency`);
    const broken = await file('broken.txt', '# injection to detection\n1\nx\n');
    expect((await run('availability', '--samples', broken)).stderr).toContain('line 3: "x"');
    const params = await file('p.json', '{ "vmMttfHour": -1 }');
    const { stderr, code } = await run('availability', '--params', params);
    expect({ stderr, code }).toEqual({
      code: 2,
      stderr: expect.stringContaining('vmMttfHour: unknown; did you mean "vmMttfHours"?') as string,
    });
    expect((await run('availability', '--params', await file('q.json', '{'))).stderr).toMatch(
      /q\.json is not JSON/,
    );
  });

  it('in the interval of pc is reported: it has to contain the pc in use', async () => {
    const interval = async (low: number, high: number) =>
      run('availability', '--params', await file('p.json', `{ "corruptionInterval": [${low}, ${high}] }`));
    expect(await interval(0.5, 0.6)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /corruptionInterval is 0\.5 to 0\.6, but .* gives a pc of 0\.01586/,
      ) as string,
    });
    expect((await interval(0.01, 0.02)).stdout).toMatch(
      /dual: 99\.\d+ % to 99\.\d+ % from the 95 % interval of pc/,
    );
  });

  it('is not asking for help: that is exit code 0', async () => {
    const { stdout, code } = await run('availability', '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('--sweep');
  });
});

describe('an error of the models', () => {
  it('is an RmkError, with the fields of one, though the models import nothing of RMK', () => {
    const error = new ModelError('RMK_ERR_INPUT', 'x is wrong', [
      { path: 'a', message: 'one' },
      { path: '', message: 'two' },
    ]);
    expect(error).toBeInstanceOf(RmkError);
    expect(hasCode(error, 'RMK_ERR_INPUT')).toBe(true);
    expect(hasCode(error, 'RMK_ERR_CHAIN')).toBe(false);
    const same = new RmkError('RMK_ERR_INPUT', error.reason, { problems: error.problems });
    expect(error.message).toBe(same.message);
    for (const problems of [[], error.problems.slice(0, 1)]) {
      expect(new ModelError('RMK_ERR_CHAIN', 'y', problems).message).toBe(
        new RmkError('RMK_ERR_CHAIN', 'y', { problems }).message,
      );
    }
  });
});
