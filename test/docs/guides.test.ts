import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { main } from '@rmk/cli';
import { describe, expect, it } from 'vitest';
import { contentsOf, expectedText, shownBlocks, updateBlock } from './shownBlocks.js';

/** Set by `npm run docs:update`: writes what is shown instead of comparing it. */
const updates = process.env['RMK_UPDATE_DOCS'] === '1';

const markdown = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  // The README of a template is type-checked with the plugin that is generated from it; `api` is generated itself.
  .filter((path) => existsSync(path) && !/^(?:packages\/create-rmk-plugin\/templates|api)\//.test(path));

const shown = markdown.flatMap(shownBlocks);

describe.each(shown)('the block in $file', (block) => {
  it(`is the ${block.kind} of ${block.source}`, async () => {
    const expected = await expectedText(block);
    if (updates && block.kind !== 'values') updateBlock(block, expected);
    else expect(block.text).toBe(expected);
  });
});

/** A test of their own reads their blocks from the page and checks each. */
const readBy = new Map([
  ['docs/bring-your-own-guest.md', 'test/docs/bringYourOwnGuest.test.ts'],
  ['docs/errors.md', 'test/docs/errorsPage.test.ts'],
]);

const isExecuted = (path: string): boolean => !readBy.has(path);

describe.each(markdown.filter(isExecuted))('%s', (path) => {
  it('shows no code that nothing executes', () => {
    const text = contentsOf(path);
    const executed = [...text.matchAll(/^```(\w*)\n[\s\S]*?^```$/gm)].filter(
      ([, language]) => language !== 'sh' && language !== 'mermaid',
    );
    // What was measured, or happened in real time, differs each time: `recorded` names the command.
    const others = [...text.matchAll(/^<!-- (?:recorded: .+|diagram) -->\n+```$/gm)];
    expect(executed).toHaveLength(shownBlocks(path).length + others.length);
  });
});

describe.each([...readBy])('%s', (path, reader) => {
  it('is read by the test that checks its blocks', () => {
    expect(contentsOf(reader)).toContain(path);
  });
});

describe.each(markdown)('%s', (path) => {
  const text = contentsOf(path);
  const commands = [
    ...[...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, lines = '']) => lines.split('\n')),
    ...[...text.matchAll(/^<!-- recorded: (.+) -->$/gm)].map(([, command = '']) => command),
  ];

  it('names only commands that exist', () => {
    const missing = commands.filter((command) => {
      const [, script, workspace = ''] =
        /^npm run (?:--silent )?([\w:-]+)(?: -w @rmk\/(\S+))?/.exec(command) ?? [];
      const [, file] = /^(?:npx vitest run|node) (test\/\S+)/.exec(command) ?? [];
      if (file !== undefined) return !existsSync(file);
      return script !== undefined && scriptsOf(workspace)[script] === undefined;
    });
    expect(missing).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('names only files that exist', () => {
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      encoding: 'utf8',
    })
      .split('\n')
      .filter((path) => existsSync(path));
    const named = contentsOf('ARCHITECTURE.md').matchAll(/`([\w./-]+\.(?:c|json|mjs|ts))`/g);
    const missing = [...named]
      .map(([, name = '']) => name)
      .filter((name) => !files.some((path) => path === name || path.endsWith(`/${name}`)));
    expect(missing.filter((name) => !['src/index.ts', 'state.json'].includes(name))).toEqual([]);
  });
});

function scriptsOf(workspace: string): Readonly<Record<string, string>> {
  const path = workspace === '' ? 'package.json' : `packages/${workspace}/package.json`;
  const { scripts = {} } = JSON.parse(contentsOf(path)) as { readonly scripts?: Record<string, string> };
  return scripts;
}

describe('a file that is shown and run by no program', () => {
  const folder = 'test/docs/examples';
  it.each([
    ['run', `${folder}/cli/rmk.config.json`],
    ['model', 'availability', '--variants', 'dual', '--params', `${folder}/model/classes.json`],
    ['model', 'advise', '--slowdown', `${folder}/model/slowdown.json`],
    ['model', 'chain', `${folder}/model/chain.json`],
    ['model', 'corruption', '--samples', `${folder}/model/four-errors.txt`],
  ])('is accepted by rmk %s', async (...args) => {
    const problems: string[] = [];
    const code = await main(args, { out: () => undefined, err: (text) => void problems.push(text) });
    expect({ code, problems }).toEqual({ code: 0, problems: [] });
  });
});
