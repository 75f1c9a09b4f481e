// How vitest runs a test here: first as it is, noting which mutants it reaches, then once with each of these that is
// alive. A test that failed runs as it is again: where that fails too, the mutant left something behind, and the worker
// is not to be trusted any further.
import { appendFileSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { VitestTestRunner } from 'vitest/runners';

// A property that a mutant breaks shows it within few draws; what takes more counts as a survivor.
fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns: 25 });

const nextTurn = setImmediate;
const NONE = -1;
const { alive, fixed, alone, tried, journal, timeoutMs } = JSON.parse(
  readFileSync(process.env.RMK_MUTATION_STATE, 'utf8'),
);
const isAlive = new Set(alive);
const write = (entry) => appendFileSync(journal, `${JSON.stringify(entry)}\n`);

const rmk = {
  current: fixed ?? NONE,
  reached: new Set(),
  /** Runs of a loop's body since the try began, and how many are too many. */
  ticks: 0,
  most: Infinity,
  is(id) {
    this.reached.add(id);
    return id === this.current;
  },
  tick() {
    this.ticks += 1;
    if (this.ticks > this.most) throw new Error('an endless loop');
  },
};
globalThis.rmkMutants = rmk;

let unhandled;
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, (error) => (unhandled ??= error));
}

let isTrusted = true;

/** The tries of one test. */
class Tries {
  #test;
  #waiting = [];
  #lastKilled;
  #isFirst = true;
  #outside;

  constructor(test) {
    this.#test = test;
    this.#outside = [...rmk.reached];
    rmk.reached = new Set();
    this.#begin(NONE);
  }

  get #name() {
    const nameOf = (task) => (task.suite ? `${nameOf(task.suite)} > ${task.name}` : task.name);
    return nameOf(this.#test);
  }

  #begin(id) {
    rmk.current = id;
    rmk.ticks = 0;
    unhandled = undefined;
    if (id !== NONE) write({ began: id, in: this.#name });
  }

  /** Takes note of how the try went. Says whether there is another one. */
  next() {
    const { result, fails } = this.#test;
    if (result?.state !== 'pass' && result?.state !== 'fail') return this.#isFirst;
    const hasFailed = (result.state === 'fail') !== Boolean(fails) || unhandled !== undefined;
    const message = String(result.errors?.[0]?.message ?? unhandled?.message ?? '').slice(0, 200);
    const id = rmk.current;

    if (this.#isFirst) {
      this.#isFirst = false;
      if (hasFailed) write({ broken: this.#name, message });
      if (hasFailed || !isTrusted) return false;
      rmk.most = 20 * rmk.ticks + 1_000_000;
      this.#waiting =
        alone === undefined
          ? [...rmk.reached].filter((each) => isAlive.has(each) && !tried?.[this.#name]?.includes(each))
          : isAlive.has(alone) && rmk.reached.has(alone)
            ? [alone]
            : [];
      if (this.#waiting.length > 0) {
        // A second time: not every test can run twice in a process.
        this.#reset();
        this.#begin(NONE);
        return true;
      }
      write({ reached: [...rmk.reached], outside: this.#outside });
    } else if (id === NONE && this.#lastKilled === undefined) {
      this.#lastKilled = NONE;
      if (hasFailed) this.#waiting = [];
      write(
        hasFailed
          ? { once: this.#name, message, outside: [...this.#outside, ...rmk.reached] }
          : { reached: [...rmk.reached], outside: this.#outside },
      );
    } else if (id === NONE) {
      if (hasFailed) {
        write({ suspect: this.#lastKilled.id });
        isTrusted = false;
        rmk.most = Infinity;
        this.#reset();
        return false;
      }
      this.#kill(this.#lastKilled);
    } else if (hasFailed) {
      const killed = { id, message, by: this.#name };
      if (alone === undefined) {
        this.#lastKilled = killed;
        this.#reset();
        this.#begin(NONE);
        return true;
      }
      this.#kill(killed);
    }
    this.#reset();
    if (this.#waiting.length === 0) {
      rmk.most = Infinity;
      rmk.reached = new Set();
      rmk.current = NONE;
      return false;
    }
    this.#begin(this.#waiting.shift());
    return true;
  }

  #kill(killed) {
    isAlive.delete(killed.id);
    write({ killed: killed.id, by: killed.by, message: killed.message });
  }

  #reset() {
    this.#test.result.state = this.#test.fails ? 'fail' : 'pass';
    this.#test.result.errors = undefined;
    unhandled = undefined;
  }
}

export default class MutationRunner extends VitestTestRunner {
  /** By the one mutant of this run. */
  #isKilled = false;

  constructor(config) {
    super(config);
    config.testTimeout = timeoutMs;
    config.hookTimeout = 2 * timeoutMs;
  }

  async onBeforeRunTask(test) {
    await super.onBeforeRunTask(test);
    if (fixed !== undefined) {
      if (this.#isKilled) test.mode = 'skip';
      return;
    }
    if (test.mode !== 'run' && test.mode !== 'queued') return;
    const tries = new Tries(test);
    // vitest compares the number of tries with this before each: the answer can depend on how the last one went.
    test.repeats = { valueOf: () => (tries.next() ? Infinity : NONE) };
  }

  onAfterRunTask(test) {
    super.onAfterRunTask?.(test);
    if (fixed === undefined || test.result?.state !== 'fail') return;
    this.#isKilled = true;
    write({ killed: fixed, by: test.name, message: String(test.result.errors?.[0]?.message).slice(0, 200) });
  }

  onBeforeTryTask(test, options) {
    if (fixed === undefined) test.result.state = 'run';
    super.onBeforeTryTask(test, options);
  }

  async onAfterRetryTask(test, options) {
    await super.onAfterRetryTask?.(test, options);
    if (fixed === undefined) await new Promise((resolve) => nextTurn(resolve));
  }

  onAfterRunFiles(files) {
    if (fixed === undefined) write({ outside: [...rmk.reached] });
    super.onAfterRunFiles?.(files);
  }
}
