// Runs within `lerna version`, once the new version is in lerna.json and in every package.json: writes it into the
// sources and tests that state it as well, and adds them to the commit of the release.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, statedVersions, statedVersionsIn, workspaces } from './workspaces.mjs';

const version = workspaces[0].manifest.version;
const stated = [...workspaces.flatMap(statedVersions), ...statedVersionsIn(join(root, 'test'), version)];
for (const { file, text, stamped } of stated) {
  if (stamped === text) continue;
  writeFileSync(file, stamped);
  execFileSync('git', ['add', file], { cwd: root });
}
