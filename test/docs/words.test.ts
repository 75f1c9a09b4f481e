import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * Private words that the project no longer uses, with what to write instead: see docs/glossary.md. A word stands here
 * if a look at the word alone is enough to know that it is wrong.
 */
const PRIVATE_WORDS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/anew\b/i, 'again'],
  [/\bfor ever\b/i, 'forever'],
  // "All is well" and "well below" are plain English.
  [
    /(?<!\ball )\b(?:is|are|was|were|be|been|last|not) well\b(?![-\w]| (?:known|below|above|within|defined|tested))/i,
    'healthy',
  ],
  [/\blastWell/, 'lastHealthy'],
  [/\bvoid(?:s|ed|ing)\b|\b(?:is|are|was|were) void\b/i, 'discard'],
  // "There are none." is how a README says that it has no options or events.
  [/\bthere is none\b/i, 'missing; no … exists'],
  // "as far as a detector can tell" is plain English.
  [/(?<!\b(?:can|cannot|could|to) )\btell(?:s|ing)?\b|\btold\b/i, 'emit, publish, report'],
  [/\bst(?:and|ands|anding|ood) still\b/i, 'pause, is paused'],
  [/\bso many-th\b/i, 'after this many'],
  [/\bis none of\b/i, 'does not belong to'],
  [/\bgone without\b/i, 'without'],
  [/\b(?:come|comes|came|coming) (?:about|alive)\b/i, 'starts, fails to start'],
  [/\bcarr(?:y|ies|ied) out\b/i, 'execute'],
  [/\bis said\b/i, 'says'],
  [/\b(?:mishaps?|occupan(?:cy|t|ts)|revivals?|salvages?)\b/i, 'unexpected event, ownership, backoff, parse'],
  [/\bwhen absent\b/i, 'default'],
  [/\blook(?:s|ing)? whether\b/i, 'check'],
  [/\bof a life before\b/i, 'predates'],
  [/\bthe time was over\b/i, 'time limit reached'],
  [
    /\b(?:Surroundings|keptBy|callRoll|NOTHING_AHEAD|makeVoid|FactTeller)\b/,
    'its new name: docs/glossary.md',
  ],
];

/** Where a private word is right, with the reason. */
const EXCEPTIONS: readonly (readonly [path: RegExp, reason: string])[] = [
  [/^docs\/glossary\.md$/, 'lists the words'],
  [/^test\/docs\/words\.test\.ts$/, 'lists the words'],
  [/^CHANGELOG\.md$/, 'names what was renamed'],
  [/^api\//, 'generated'],
  [/^package-lock\.json$/, 'not ours'],
  [/\.(?:svg|elf|png)$/, 'no prose'],
];

/**
 * Private words that are left in each folder. The count is lowered here as they go; it may not grow.
 * A folder that is not listed has none.
 */
const LEFT: Readonly<Record<string, number>> = {};

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((path) => !EXCEPTIONS.some(([exception]) => exception.test(path)));

/** `packages/kernel`, `test/oracle`, `docs`, or the file itself at the top. */
function folderOf(path: string): string {
  const [first = '', second = '', third] = path.split('/');
  return third === undefined ? (second === '' ? path : first) : `${first}/${second}`;
}

function findingsIn(path: string): readonly string[] {
  return readFileSync(`${root}${path}`, 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      PRIVATE_WORDS.flatMap(([pattern, instead]) => {
        const [word] = pattern.exec(line) ?? [];
        return word === undefined ? [] : [`${path}:${index + 1}: "${word}", write: ${instead}`];
      }),
    );
}

const folders = [...new Set(files.map(folderOf))];

describe('the words of docs/glossary.md', () => {
  it.each(folders)('are used in %s', (folder) => {
    const found = files.filter((path) => folderOf(path) === folder).flatMap(findingsIn);
    if (found.length > (LEFT[folder] ?? 0)) expect(found).toEqual([]);
  });
});
