// The public interface of each package as text, api/<package>.api.md, taken from the built declarations.
// `npm run api` writes the reports, `npm run check:api` fails if one is out of date.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from './declarations.mjs';
import { published, root } from './workspaces.mjs';

const update = process.argv.includes('--update');
const committed = join(root, 'api');

/** Writes the report of a package into `scratch`, and where it is to be updated into `committed`. */
function report(workspace, scratch) {
  const reportFileName = `${workspace.manifest.name.replace(/^@rmk\//, '')}.api.md`;
  const apiReport = {
    enabled: true,
    reportFileName,
    reportFolder: committed,
    reportTempFolder: scratch,
    includeForgottenExports: true,
  };
  const { apiReportChanged } = extract(workspace, { apiReport }, { localBuild: update });
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
