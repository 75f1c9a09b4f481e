// The public interface of each package with its comments, as api-extractor reads it from the built declarations.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { declarationsOf, extract } from '../declarations.mjs';
import { root } from '../workspaces.mjs';

const cache = join(root, 'node_modules', '.rmk-docs');

/** The exported items of a package's main entry point. Extraction takes seconds, so it is cached by content. */
export function apiModel(workspace) {
  declarationsOf(workspace);
  mkdirSync(cache, { recursive: true });
  const model = join(cache, `${contentsOf(join(workspace.path, 'dist'))}.api.json`);
  const docModel = { enabled: true, apiJsonFilePath: model, includeForgottenExports: false };
  if (!existsSync(model)) extract(workspace, { docModel }, { localBuild: true });
  return JSON.parse(readFileSync(model, 'utf8')).members[0].members;
}

function contentsOf(folder) {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.d.ts')) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 24);
}
