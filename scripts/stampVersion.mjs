// Runs within `lerna version`, once the new version is in lerna.json and in every package.json: writes it into the
// sources that state it as well, and adds them to the commit of the release.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { root, statedVersions, workspaces } from './workspaces.mjs';

for (const workspace of workspaces) {
  for (const { file, text, stamped } of statedVersions(workspace)) {
    if (stamped === text) continue;
    writeFileSync(file, stamped);
    execFileSync('git', ['add', file], { cwd: root });
  }
}
