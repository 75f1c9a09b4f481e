import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// #region program
import { createPlugin } from 'create-rmk-plugin';
// #endregion
const parent = mkdtempSync(join(tmpdir(), 'rmk-create-'));
const directory = join(parent, 'room-temperature');
// #region call
const { packageName, files } = createPlugin({ name: 'room-temperature', kind: 'detector', directory });
// #endregion
console.log(`${packageName}: ${files.length} files`);
rmSync(parent, { recursive: true });
