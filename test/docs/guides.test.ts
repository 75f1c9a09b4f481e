import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { contentsOf, expectedText, shownBlocks, updateBlock } from './shownBlocks.js';

/** Set by `npm run docs:update`: writes what is shown instead of comparing it. */
const updates = process.env['RMK_UPDATE_DOCS'] === '1';

const markdown = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((path) => !path.startsWith('packages/create-rmk-plugin/templates/'));

const shown = markdown.flatMap(shownBlocks);

describe.each(shown)('the block in $file', (block) => {
  it(`is the ${block.kind} of ${block.source}`, async () => {
    const expected = await expectedText(block);
    if (updates) updateBlock(block, expected);
    else expect(block.text).toBe(expected);
  });
});

/** Its blocks are executed by bringYourOwnGuest.test.ts, and those of errors.md by errorsPage.test.ts. */
const executedElsewhere = new Set(['docs/bring-your-own-guest.md', 'docs/errors.md']);
const guides = markdown.filter((path) => /^(?:docs\/|README\.md)/.test(path) && !executedElsewhere.has(path));

describe.each(guides)('%s', (path) => {
  it('shows no code that nothing executes', () => {
    const fences = [...contentsOf(path).matchAll(/^```(\w*)\n[\s\S]*?^```$/gm)].map(
      ([, language]) => language ?? '',
    );
    const executed = fences.filter((language) => language !== 'sh' && language !== 'mermaid');
    // What a VM in real time printed differs each time: `recorded` names the command.
    const recorded = [...contentsOf(path).matchAll(/^<!-- recorded: npm run [\w:]+ -->\n+```$/gm)];
    expect(executed).toHaveLength(shownBlocks(path).length + recorded.length);
  });

  it('names only commands that exist', async () => {
    const { scripts } = JSON.parse(contentsOf('package.json')) as {
      readonly scripts: Record<string, string>;
    };
    const blocks = [...contentsOf(path).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
    const named = blocks.flatMap((text) =>
      [...text.matchAll(/^npm run ([\w:-]+)/gm)].map(([, name = '']) => name),
    );
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});
