// The public interface of each package as text, api/<package>.api.md, taken from the built declarations.
// `npm run api` writes the reports, `npm run check:api` fails if one is out of date.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { published, root } from './workspaces.mjs';

const update = process.argv.includes('--update');
const committed = join(root, 'api');
const SILENT = { default: { logLevel: 'none' } };

/** Writes the report of a package into `scratch`, and where it is to be updated into `committed`. */
function report({ path, manifest }, scratch) {
  const declarations = join(path, 'dist', 'index.d.ts');
  if (!existsSync(declarations)) throw new Error(`${manifest.name} is not built: npm run setup`);
  const reportFileName = `${manifest.name.replace(/^@rmk\//, '')}.api.md`;
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(path, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: path,
      mainEntryPointFilePath: declarations,
      newlineKind: 'lf',
      apiReport: {
        enabled: true,
        reportFileName,
        reportFolder: committed,
        reportTempFolder: scratch,
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2022',
            lib: ['ES2023', 'ESNext.Disposable'],
            module: 'NodeNext',
            types: ['node'],
            strict: true,
            skipLibCheck: true,
          },
          files: [declarations],
        },
      },
      // What is exported is public, and documented in the READMEs: of interest is the shape alone.
      messages: {
        compilerMessageReporting: SILENT,
        extractorMessageReporting: SILENT,
        tsdocMessageReporting: SILENT,
      },
    },
  });
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: update,
    // Its remarks on versions of TypeScript and on changes that are reported below.
    messageCallback: (message) => void (message.handled = true),
  });
  return { reportFileName, changed: apiReportChanged };
}

const scratch = mkdtempSync(join(tmpdir(), 'rmk-api-'));
mkdirSync(committed, { recursive: true });
try {
  const reports = published.map((workspace) => report(workspace, scratch));
  const names = new Set(reports.map(({ reportFileName }) => reportFileName));
  const orphans = readdirSync(committed).filter((name) => !names.has(name));
  const changed = reports.filter((one) => one.changed).map(({ reportFileName }) => reportFileName);
  if (update) {
    for (const name of orphans) rmSync(join(committed, name));
    process.stdout.write(`${names.size} reports in api/, ${changed.length} of them changed\n`);
  } else if (changed.length + orphans.length > 0) {
    for (const name of changed) {
      const [before, after] = [join(committed, name), join(scratch, name)].map((file) =>
        existsSync(file) ? file : '/dev/null',
      );
      spawnSync('git', ['--no-pager', 'diff', '--no-index', '--unified=2', before, after], {
        stdio: ['ignore', 2, 2],
      });
    }
    process.stderr.write(
      `The public interface differs from what is committed in api/: ${[...changed, ...orphans].join(', ')}.\n` +
        'If that is meant, run `npm run api`, read the difference, and commit it with the change.\n',
    );
    process.exitCode = 1;
  } else {
    process.stdout.write(`the public interfaces of ${names.size} packages are as committed in api/\n`);
  }
} finally {
  rmSync(scratch, { recursive: true });
}
