import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from 'create-rmk-plugin';

const folder = mkdtempSync(join(tmpdir(), 'rmk-create-'));
const directory = join(folder, 'rmk-plugin-room-temperature');
const written: string[] = [];
const terminal = { out: (text: string) => void written.push(text), err: () => undefined };
await main(['room-temperature', '--kind', 'detector', '--directory', directory], terminal);
console.log(written.join('').replace(/cd .*/, 'cd rmk-plugin-room-temperature').trimEnd());
rmSync(folder, { recursive: true });
