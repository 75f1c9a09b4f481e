import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createPlugin, main } from '../src/index.js';
import { temporaryFolder } from './temporaryFolder.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the README shows what is printed, and what a program is given', async () => {
  const [, args = ''] = /npm create rmk-plugin (room-temperature -- .*)\n/.exec(readme) ?? [];
  const [name = '', dashes, ...flags] = args.split(' ');
  expect(dashes).toBe('--');
  using folder = temporaryFolder();
  let printed = '';
  const directory = `${folder.path}/rmk-plugin-${name}`;
  const terminal = { out: (text: string) => void (printed += text), err: () => undefined };
  expect(await main([name, ...flags, '--directory', directory], terminal)).toBe(0);
  expect(readme).toContain(`\`\`\`\n${printed.replace(/cd .*/, `cd rmk-plugin-${name}`)}\`\`\``);

  const program = "createPlugin({ name: 'room-temperature', kind: 'detector', directory })";
  expect(readme).toContain(program);
  using other = temporaryFolder();
  const { packageName, files } = createPlugin({
    name: 'room-temperature',
    kind: 'detector',
    directory: other.path,
  });
  expect(packageName).toBe('rmk-plugin-room-temperature');
  expect(printed).toContain(`${files.length} files`);
});
