// npm run test:mutation [-- package…] [--sample N] [--seed S] [--file part-of-a-path] [--survivors] [--list]
// Changes one operator, bound, guard, reset or order at a time, and runs the tests that cover it.
// --survivors: tries what survived last time and has no reason in survivors.json, and what was not tried yet.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../workspaces.mjs';
import { mutantsOf, withSwitches } from './mutants.mjs';
import { filesOf, names } from './packages.mjs';
import { WarmVitest } from './warmVitest.mjs';

const REQUIRED = 0.85;
/**
 * How long a test may take, and how long nothing may happen. Generous: what ends in an endless loop is counted, not
 * timed.
 */
const TRY_MS = 45_000;
const SILENCE_MS = 120_000;
const STATIC_MS = 30_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    file: { type: 'string' },
    survivors: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown package ${unknown.join(', ')}: one of ${names.join(', ')}\n`);
  process.exit(2);
}

const print = (line) => process.stdout.write(`${line}\n`);
const accepted = JSON.parse(readFileSync(new URL('survivors.json', import.meta.url), 'utf8'));
const resultFolder = join(root, 'coverage/mutation');
const read = (path) => readFileSync(join(root, path), 'utf8');
const hash = (text) => createHash('sha256').update(text).digest('hex');

/** Wilson's interval of a proportion, 95 %. */
function interval(killed, total) {
  const z = 1.959964;
  const p = killed / total;
  const middle = p + (z * z) / (2 * total);
  const half = z * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total));
  return [middle - half, middle + half].map((bound) => bound / (1 + (z * z) / total));
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;

/** Test files in the order in which they run: those named after a mutated file first, property tests last. */
function inOrder(tests, mutants) {
  const mutatedNames = new Set(mutants.map(({ path }) => basename(path, '.ts').toLowerCase()));
  const rank = (path) =>
    (mutatedNames.has(basename(path, '.test.ts').toLowerCase()) ? 0 : 1) +
    (/fast-check/.test(read(path)) ? 2 : 0);
  return tests
    .map((path) => [rank(path), path])
    .toSorted(([a], [b]) => a - b)
    .map(([, path]) => path);
}

/** Runs all test files; settles the status of each mutant. */
async function settle(vitest, tests, mutants, log) {
  const alive = new Map(mutants.map((mutant) => [mutant.id, mutant]));
  const outsideOf = new Map(); // mutant → the test files that reach it outside of any test
  const reached = new Set();
  const close = (id, status, by, message) => {
    const mutant = alive.get(id);
    if (!mutant) return;
    alive.delete(id);
    Object.assign(mutant, { status, by, message });
  };
  const take = (file, entries) => {
    for (const entry of entries) {
      if (entry.broken) log(`${file}: "${entry.broken}" fails without any mutant (${entry.message})`);
      if (entry.killed !== undefined) close(entry.killed, 'killed', `${file} ${entry.by}`, entry.message);
      if (entry.once) log(`${file}: "${entry.once}" can run only once in a process (${entry.message})`);
      for (const id of entry.reached ?? []) reached.add(id);
      for (const id of entry.outside ?? [])
        outsideOf.set(id, [...new Set([...(outsideOf.get(id) ?? []), file])]);
    }
  };
  const runFile = async (file, state) => {
    const outcome = await vitest.run(file, { alive: [...alive.keys()], timeoutMs: TRY_MS, ...state });
    take(file, outcome.entries);
    const last = outcome.entries.findLast(({ began }) => began !== undefined)?.began;
    if (outcome.isSilent) close(last, 'timeout', file);
    return { ...outcome, suspect: outcome.entries.find(({ suspect }) => suspect !== undefined)?.suspect };
  };

  const msOf = new Map();
  for (const file of tests) {
    const startedAt = Date.now();
    const tried = {}; // test → mutants, so that a new worker begins where the last one ended
    for (;;) {
      const before = alive.size;
      const { isSilent, suspect, hasFailed, message, entries } = await runFile(file, { tried });
      for (const { began, in: test } of entries) if (began !== undefined) (tried[test] ??= []).push(began);
      if (hasFailed && entries.length === 0) throw new Error(`${file} does not run: ${message}`);
      if (suspect !== undefined) {
        log(`${file}: ${alive.get(suspect)?.key} is tried alone`);
        await runFile(file, { alone: suspect });
        // What fails only after others is theirs; it is not tried in this file again.
        if (alive.has(suspect)) log(`${file}: ${alive.get(suspect).key} fails only after other mutants`);
      }
      if ((!isSilent && suspect === undefined) || alive.size === before) break;
    }
    msOf.set(file, Date.now() - startedAt);
    log(`${((Date.now() - startedAt) / 1000).toFixed(0)} s, ${alive.size} alive after ${file}`);
  }

  // What runs only while modules load takes effect only in a worker that loads them so: that is dear, so test files
  // that take long are left out.
  for (const [id, mutant] of alive) {
    if (reached.has(id)) continue;
    const quick = (outsideOf.get(id) ?? []).filter((file) => msOf.get(file) < STATIC_MS);
    for (const file of inOrder(quick, [mutant])) {
      const { hasFailed, isSilent, by, message, entries } = await vitest.run(file, {
        alive: [],
        fixed: id,
        timeoutMs: TRY_MS,
      });
      take(file, entries);
      if (hasFailed || isSilent) close(id, isSilent ? 'timeout' : 'killed', `${file} ${by}`, message);
      if (!alive.has(id)) break;
    }
  }
  for (const mutant of alive.values()) {
    Object.assign(mutant, {
      status: 'survived',
      isUncovered: !reached.has(mutant.id) && !outsideOf.has(mutant.id),
    });
  }
}

function sampleOf(mutants) {
  if (!options.sample) return mutants;
  // By key, so that the sample stays the same while code around it moves.
  const rank = new Map(mutants.map((mutant) => [mutant, hash(`${options.seed} ${mutant.key}`)]));
  return mutants.toSorted((a, b) => (rank.get(a) < rank.get(b) ? -1 : 1)).slice(0, Number(options.sample));
}

async function measure(name) {
  const { sources, tests } = filesOf(name);
  const parsed = sources.map((path) => {
    const source = read(path);
    return { path, source, ...mutantsOf(path, source) };
  });
  const resultPath = join(resultFolder, `${name}.json`);
  const before =
    options.survivors && existsSync(resultPath) ? JSON.parse(readFileSync(resultPath, 'utf8')) : undefined;
  const reasons = accepted[name] ?? {};
  const all = parsed.flatMap((file) => file.mutants);
  let chosen = sampleOf(all);
  if (options.file) chosen = chosen.filter(({ path }) => path.includes(options.file));
  // What was tried before and is not tried again, so that a sample can be worked through in parts.
  const known = before?.mutants ?? [];
  const isDone = new Set(
    known.filter(({ key, status }) => status !== 'survived' || reasons[key]).map(({ key }) => key),
  );
  chosen = chosen.filter(({ key }) => !isDone.has(key));
  const isChosen = new Set(chosen.map(({ key }) => key));
  const isThere = new Set(all.map(({ key }) => key));
  const settled = known.filter(({ key }) => !isChosen.has(key) && isThere.has(key));
  print(
    `${name}: ${chosen.length} of ${all.length} mutants in ${sources.length} files, ${tests.length} test files`,
  );
  if (options.list) {
    for (const { path, line, key } of chosen) print(`  ${path}:${line} ${key}`);
    return true;
  }

  chosen.forEach((mutant, id) => Object.assign(mutant, { id }));
  const vitest = new WarmVitest({
    tests,
    silenceMs: SILENCE_MS,
    sources: parsed.map(({ path, source, loops }) => [
      path,
      withSwitches(
        source,
        chosen.filter((mutant) => mutant.path === path),
        loops,
      ),
    ]),
  });
  try {
    await settle(vitest, inOrder(tests, chosen), chosen, (line) => print(`  ${line}`));
  } finally {
    vitest.close();
  }
  const results = [
    ...settled,
    ...chosen.map(({ key, path, line, kind, status, by, message, isUncovered }) => ({
      key,
      path,
      line,
      kind,
      status,
      by,
      message,
      isUncovered,
    })),
  ];
  mkdirSync(resultFolder, { recursive: true });
  writeFileSync(
    resultPath,
    JSON.stringify({ seed: options.seed, sample: options.sample, mutants: results }, undefined, 2),
  );
  return report(name, results, reasons);
}

function report(name, results, reasons) {
  const survivors = results.filter(({ status }) => status === 'survived');
  const equivalent = survivors.filter(({ key }) => reasons[key]?.equivalent);
  const total = results.length - equivalent.length;
  const killed = results.length - survivors.length;
  const [low, high] = interval(killed, total);
  for (const { path, line, key, isUncovered } of survivors) {
    const { equivalent: why, accepted: because } = reasons[key] ?? {};
    print(
      `  survived ${path}:${line} ${key}${isUncovered ? ' (no test reaches it)' : ''}${why ? `: equivalent, ${why}` : because ? `: ${because}` : ''}`,
    );
  }
  print(
    `${name}: ${killed} of ${total} killed, ${percent(killed / total)} (95 %: ${percent(low)} to ${percent(high)}); ` +
      `${equivalent.length} equivalent, ${results.filter(({ status }) => status === 'timeout').length} timeouts`,
  );
  return killed / total >= REQUIRED;
}

let isEnough = true;
for (const name of positionals.length > 0 ? positionals : names) isEnough = (await measure(name)) && isEnough;
process.exit(isEnough ? 0 : 1);
