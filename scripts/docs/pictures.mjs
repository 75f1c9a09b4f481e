// Draws the pictures of README.md and the site, each for light and dark: `npm run docs:pictures`.
// The terminal picture is the output of a real `npm start`; the diagrams are drawn here.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../workspaces.mjs';
import { layers, timeline } from './diagrams.mjs';
import { terminal } from './terminal.mjs';

const THEMES = {
  light: {
    background: '#f6f8fa',
    panel: '#ffffff',
    border: '#d0d7de',
    text: '#1f2328',
    dim: '#59636e',
    red: '#cf222e',
    green: '#1a7f37',
    blue: '#0969da',
    yellow: '#9a6700',
  },
  dark: {
    background: '#161b22',
    panel: '#0d1117',
    border: '#3d444d',
    text: '#e6edf3',
    dim: '#9198a1',
    red: '#ff7b72',
    green: '#3fb950',
    blue: '#58a6ff',
    yellow: '#d29922',
  },
};

const { stdout, status } = spawnSync(process.execPath, [join(root, 'packages/cli/bin/rmk.js'), 'start'], {
  encoding: 'utf8',
  env: { ...process.env, FORCE_COLOR: '1' },
});
if (status !== 0) throw new Error('rmk start failed');
const folder = join(root, 'docs', 'images');
mkdirSync(folder, { recursive: true });
for (const [name, colours] of Object.entries(THEMES)) {
  writeFileSync(join(folder, `npm-start-${name}.svg`), terminal('npm start', excerptOf(stdout), colours));
  writeFileSync(join(folder, `timeline-${name}.svg`), timeline(colours));
  writeFileSync(join(folder, `layers-${name}.svg`), layers(colours));
}

/** The head, one incident of each kind, and the verdict: all of it would be a long picture. */
function excerptOf(output) {
  const lines = output.split('\n');
  const incidents = lines.flatMap((line, index) =>
    // eslint-disable-next-line no-control-regex
    /^ {2}\u001b\[1mtasks/.test(line) ? [lines.slice(index, index + 3)] : [],
  );
  const verdict = lines.findLastIndex((line) => line.includes('checks against the golden runs'));
  return [...lines.slice(0, 1), '', ...incidents.slice(0, 3).flat(), '  …', '', ...lines.slice(verdict)]
    .join('\n')
    .trimEnd()
    .split('\n');
}
