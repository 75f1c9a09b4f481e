import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const FIXTURES = fileURLToPath(new URL('broken', import.meta.url));
/** Some ten seconds of work, which a busy machine may take long over. */
const RUN_LIMIT_MS = 600_000;
const MOST_BYTES = 64 * 1024 * 1024;

const report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).optional(),
        }),
      ),
    }),
  ),
});

type TestResult = z.output<typeof report>['testResults'][number]['assertionResults'][number];

/** Runs the suites on what is broken, in a vitest of their own, and gives how each test ended. */
async function runFixtures(): Promise<readonly TestResult[]> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const printed = await new Promise<string>((resolve) => {
    // That tests fail is what it is run for, so its exit code says nothing.
    execFile(
      process.execPath,
      [vitest, 'run', '--root', FIXTURES, '--reporter=json'],
      { cwd: FIXTURES, maxBuffer: MOST_BYTES, env: { ...process.env, NODE_ENV: 'test' } },
      (_, stdout) => resolve(stdout),
    );
  });
  const { testResults } = report.parse(JSON.parse(printed.slice(printed.indexOf('{'))));
  return testResults.flatMap(({ assertionResults }) => assertionResults);
}

interface Flawed {
  readonly suite: string;
  /** Tests that must fail. */
  readonly fails: readonly string[];
  /** Those are all. */
  readonly only?: true;
}

const LOOP = 'a task that loops with the timer masked';

const FLAWED: readonly Flawed[] = [
  {
    suite: 'the hypervisor that forgets a page',
    fails: [
      'over 1 epochs brings back all memory and all registers',
      'over 2 epochs brings back all memory and all registers',
      'over 3 epochs brings back all memory and all registers',
      'can be done again and again, each time from the checkpoint that the last one left',
      'undoes what the host wrote',
      'brings the window back as a plain copy has it, whatever was written and planned',
    ],
  },
  {
    suite: 'the hypervisor that turns its clock back',
    fails: [
      'neither goes back in a rollback nor forgets its timers',
      'over 1 epochs brings back all memory and all registers',
      'shows its guest nothing of checkpoints and rollbacks',
    ],
  },
  {
    suite: 'the hypervisor that overlooks a page',
    fails: [
      'reports the epoch that it ends: when it was, and which pages were written, ascending',
      'counts what was saved: each entry of the log was written or saved in vain',
      'keeps in the log what each page held when the epoch began',
    ],
  },
  {
    suite: 'the checkpoint algorithm with a flaw: malformed plan',
    fails: [
      'gives a plan that any driver takes, whatever the history',
      'has its checkpoints taken: none of its plans fails or is refused',
      'takes over from another algorithm and gives way to it, without a gap in protection',
    ],
  },
  {
    suite: 'the checkpoint algorithm with a flaw: memory of what was undone',
    fails: [
      'gives the same plan for the same history, whatever it was asked in between',
      'forgets its history after a rollback: without history it plans as at the first checkpoint',
    ],
    only: true,
  },
  {
    suite: 'the checkpoint algorithm with a flaw: drops a page of the history',
    fails: [
      'changes nothing in the history that it is shown',
      'changes nothing of what is written, and causes no page fault that would not have been',
    ],
    only: true,
  },
  {
    suite: 'the detector with a flaw: never',
    fails: [
      `finds ${LOOP} within its bound, and says since when the guest is suspect`,
      `finds ${LOOP} at the same moment in each run`,
      `finds ${LOOP} again after a rollback, and accuses nobody of what was undone`,
      `finds ${LOOP} after a restart of the VM, and accuses nobody who boots`,
    ],
    only: true,
  },
  {
    suite: 'the detector with a flaw: once',
    fails: [`finds ${LOOP} again after a rollback, and accuses nobody of what was undone`],
    only: true,
  },
  {
    suite: 'the detector with a flaw: too early',
    fails: [
      'accuses no guest that is silent for 0.99 of the threshold',
      'has accused nobody in all that exposure',
    ],
    only: true,
  },
  {
    suite: 'the detector with a flaw: accuses what was undone',
    fails: [`finds ${LOOP} again after a rollback, and accuses nobody of what was undone`],
    only: true,
  },
];

describe('the conformance suites', () => {
  let results: readonly TestResult[] = [];
  beforeAll(async () => {
    results = await runFixtures();
  }, RUN_LIMIT_MS);

  it.each(FLAWED)('fail $suite', ({ suite, fails, only }) => {
    const ofSuite = results.filter(({ ancestorTitles }) => ancestorTitles[0] === suite);
    const failed = ofSuite.filter(({ status }) => status === 'failed').map(({ title }) => title);
    if (only === true) expect(failed.toSorted()).toEqual(fails.toSorted());
    else expect(failed).toEqual(expect.arrayContaining([...fails]));
    expect(
      ofSuite.some(({ status }) => status === 'passed'),
      'and pass what is right',
    ).toBe(true);
  });

  it('have run on all that is broken, and on nothing else', () => {
    const suites = new Set(FLAWED.map(({ suite }) => suite));
    expect(new Set(results.map(({ ancestorTitles }) => ancestorTitles[0]))).toEqual(suites);
  });

  it('say what is wrong: the page, the plan, the timeline', () => {
    const messages = (suite: string): string =>
      results
        .filter(({ ancestorTitles }) => ancestorTitles[0] === suite)
        .flatMap(({ failureMessages = [] }) => failureMessages)
        .join('\n');
    expect(messages('the hypervisor that forgets a page')).toContain('page frames that differ');
    expect(messages('the checkpoint algorithm with a flaw: malformed plan')).toContain('clusterPages is 3');
    expect(messages('the detector with a flaw: too early')).toMatch(
      /expected no detection[^]*Recorded:[^]*EVT_ERRORDETECTED/,
    );
  });
});
