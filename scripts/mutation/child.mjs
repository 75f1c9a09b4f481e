// A vitest that stays warm: it runs one test file after the other from sources that hold all mutants behind switches.
// Nothing is written to the sources: the text is changed where vite loads it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfigFromFile } from 'vite';
import { createVitest } from 'vitest/node';
import { root } from '../workspaces.mjs';

const { sources, tests } = JSON.parse(readFileSync(process.env.RMK_MUTATION_SOURCES, 'utf8'));
const texts = new Map(sources.map(([path, text]) => [join(root, path), text]));
const mutation = {
  name: 'rmk:mutation',
  enforce: 'pre',
  load: (id) => texts.get(id.split('?')[0]),
};

const { config } = await loadConfigFromFile(
  { command: 'serve', mode: 'test' },
  join(root, 'vitest.config.ts'),
  root,
);
const vitest = await createVitest(
  'test',
  {
    config: false,
    root,
    watch: false,
    include: tests,
    pool: 'forks',
    maxWorkers: 1,
    silent: true,
    reporters: [{}],
    runner: fileURLToPath(new URL('testRunner.mjs', import.meta.url)),
  },
  { configFile: false, ssr: config.ssr, oxc: config.oxc, plugins: [mutation] },
);
const specifications = await vitest.globTestSpecifications();

async function run(file) {
  try {
    const specification = specifications.find(({ moduleId }) => moduleId === join(root, file));
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification]);
    const [module] = testModules;
    const [test] = module?.children.allTests('failed') ?? [];
    const error = test?.result().errors?.[0] ?? module?.errors()[0] ?? unhandledErrors[0];
    const hasFailed = module === undefined || module.state() === 'failed' || unhandledErrors.length > 0;
    process.send({
      hasFailed,
      by: test?.fullName ?? file,
      message: error?.message.slice(0, 200),
    });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
}

process.on('message', (file) => void run(file));
process.on('disconnect', () => process.exit());
process.send({});
