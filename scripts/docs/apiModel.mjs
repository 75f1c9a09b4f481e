// The public interface of each package with its comments, as api-extractor reads it from the built declarations.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { root } from '../workspaces.mjs';

const cache = join(root, 'node_modules', '.rmk-docs');
const SILENT = { default: { logLevel: 'none' } };

/** The exported items of a package's main entry point. Extraction takes seconds, so it is cached by content. */
export function apiModel({ path, manifest }) {
  const declarations = join(path, 'dist', 'index.d.ts');
  if (!existsSync(declarations)) throw new Error(`${manifest.name} is not built: run npm run setup`);
  mkdirSync(cache, { recursive: true });
  const model = join(cache, `${contentsOf(join(path, 'dist'))}.api.json`);
  if (!existsSync(model)) extract(path, declarations, model);
  return JSON.parse(readFileSync(model, 'utf8')).members[0].members;
}

function contentsOf(folder) {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.d.ts')) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 24);
}

function extract(path, declarations, apiJsonFilePath) {
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(path, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: path,
      mainEntryPointFilePath: declarations,
      newlineKind: 'lf',
      apiReport: { enabled: false },
      docModel: { enabled: true, apiJsonFilePath, includeForgottenExports: false },
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
      messages: {
        compilerMessageReporting: SILENT,
        extractorMessageReporting: SILENT,
        tsdocMessageReporting: SILENT,
      },
    },
  });
  Extractor.invoke(config, { localBuild: true, messageCallback: (message) => void (message.handled = true) });
}
