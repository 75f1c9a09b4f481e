import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/exitCode.js';
import { folderWith, rmk } from '../rmk.js';
import { experimentFiles } from './experimentFixture.js';

const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
  .map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim())
  .find((path) => path !== '');
// In CI a missing browser fails, instead of the test being skipped.
const itShows = executablePath === undefined && process.env['CI'] !== 'true' ? it.skip : it;

/** Runs a small campaign with a report, and gives the path of the page and what was printed. */
async function reported(): Promise<{ readonly report: string; readonly printed: string }> {
  const folder = folderWith(experimentFiles({ count: 30 }));
  const report = join(folder, 'reports/flips.html');
  const one = ['--workers', '1', '--no-journal', '--json'];
  const said = await rmk(['inject', join(folder, 'flips.json'), ...one, '--report', report]);
  expect(said).toMatchObject({ code: ExitCode.DONE, err: '' });
  return { report, printed: said.out };
}

describe('rmk inject --report', () => {
  it('has every table and figure, with the counts that are printed', async () => {
    const { report, printed } = await reported();
    const page = readFileSync(report, 'utf8');
    for (const heading of [
      'Outcomes',
      'Recovered',
      'With recovery and without',
      'By register and bit',
      'By register',
      'Error latency',
      'Recovery time',
      'Recoveries by rung',
    ])
      expect(page).toContain(`<h2>${heading}</h2>`);
    const { pooled } = JSON.parse(printed) as { readonly pooled: { readonly effective: number } };
    expect(page).toContain(
      `30 of 30 experiments, with the faults register-flip, wild-jump. ${pooled.effective} faults`,
    );
    expect(page).not.toContain('NaN');
    expect(page).not.toContain('http://127');
  }, 60_000);

  itShows(
    'is readable in light and dark, and needs nothing from anywhere',
    async () => {
      const { report } = await reported();
      const browser = await chromium.launch({
        ...(executablePath === undefined ? {} : { executablePath }),
        args: ['--no-sandbox'],
      });
      try {
        for (const colorScheme of ['light', 'dark'] as const) {
          const page = await browser.newPage({ colorScheme, viewport: { width: 1000, height: 800 } });
          const problems: string[] = [];
          page.on('pageerror', (error) => void problems.push(error.message));
          page.on('request', (request) => {
            if (!request.url().startsWith('file:')) problems.push(request.url());
          });
          await page.goto(pathToFileURL(report).href);
          // As text: this project has no types of a browser.
          const colours = await page.evaluate<readonly string[]>(
            '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
          );
          expect(colours).toEqual(
            colorScheme === 'light'
              ? ['rgb(34, 34, 34)', 'rgb(255, 255, 255)']
              : ['rgb(221, 221, 221)', 'rgb(23, 25, 29)'],
          );
          expect(await page.locator('figure svg').count()).toBe(3);
          // Nothing makes the page itself scroll to the side.
          expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
          expect(problems).toEqual([]);
          await page.close();
        }
      } finally {
        await browser.close();
      }
    },
    60_000,
  );
});
