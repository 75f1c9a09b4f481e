// How api-extractor reads the public interface of a package from its built declarations.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const SILENT = { default: { logLevel: 'none' } };

/** The declarations of the package's main entry point. Throws if it is not built. */
export function declarationsOf({ path, manifest }) {
  const declarations = join(path, 'dist', 'index.d.ts');
  if (!existsSync(declarations)) throw new Error(`${manifest.name} is not built: run npm run setup`);
  return declarations;
}

/** Runs api-extractor for a package. `wanted`: its settings `apiReport` and `docModel`; both are off by default. */
export function extract(workspace, wanted, { localBuild }) {
  const declarations = declarationsOf(workspace);
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(workspace.path, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: workspace.path,
      mainEntryPointFilePath: declarations,
      newlineKind: 'lf',
      apiReport: { enabled: false },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      ...wanted,
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
  return Extractor.invoke(config, {
    localBuild,
    // Its remarks on versions of TypeScript, and on changes that are reported elsewhere.
    messageCallback: (message) => void (message.handled = true),
  });
}
