import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { servedSite } from './servedSite.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Debian's, or whatever bears one of these names. */
const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
  .map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim())
  .find((path) => path !== '');

// In CI a missing browser fails, instead of the test being skipped.
const isRequired = process.env['CI'] === 'true';
const describeSite = executablePath === undefined && !isRequired ? describe.skip : describe;
const skipped = executablePath === undefined ? ' (skipped without chromium)' : '';

const MINUTES = 60_000;

describeSite(`the documentation site${skipped}`, () => {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof servedSite>>;
  const problems: string[] = [];

  beforeAll(async () => {
    execFileSync(process.execPath, ['scripts/docs/build.mjs'], { cwd: root, stdio: 'pipe' });
    site = await servedSite(`${root}docs/.vitepress/dist`);
    if (executablePath === undefined) throw new Error('chromium is not installed: apt-get install chromium');
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  }, 15 * MINUTES);

  afterAll(async () => {
    await browser?.close();
    await site?.[Symbol.asyncDispose]();
  });

  async function opened(path: string, colorScheme: 'light' | 'dark' = 'light', width = 1280): Promise<Page> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
    page.on('pageerror', (error) => void problems.push(`${path}: ${error.message}`));
    await page.goto(site.address + path, { waitUntil: 'load' });
    return page;
  }

  it(
    'has no link that leads nowhere',
    async () => {
      const page = await opened('/');
      const idsByPage = new Map<string, ReadonlySet<string>>();
      const links: { readonly from: string; readonly to: URL }[] = [];
      const pending = ['/'];
      for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
        if (idsByPage.has(path)) continue;
        const response = await page.goto(site.address + path, { waitUntil: 'domcontentloaded' });
        if (response?.status() !== 200) {
          idsByPage.set(path, new Set());
          problems.push(`${path} answers ${response?.status()}`);
          continue;
        }
        const ids = await page.evaluate<string[]>(
          '[...document.querySelectorAll("[id]")].map(({ id }) => id)',
        );
        const targets = await page.evaluate<string[]>('[...document.links].map(({ href }) => href)');
        idsByPage.set(path, new Set(ids));
        for (const to of targets.map((target) => new URL(target))) {
          if (to.origin !== site.address) continue;
          links.push({ from: path, to });
          pending.push(to.pathname);
        }
      }
      for (const { from, to } of links) {
        const anchor = decodeURIComponent(to.hash.slice(1));
        if (anchor !== '' && !idsByPage.get(to.pathname)?.has(anchor))
          problems.push(`${from} links to ${to.pathname}#${anchor}, which does not exist`);
      }
      expect([...new Set(problems)]).toEqual([]);
      expect(idsByPage.size).toBeGreaterThan(60);
      await page.close();
    },
    15 * MINUTES,
  );

  it('shows its pictures in light and in dark', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const page = await opened('/what-is-rmk.html', scheme);
      const shown = await page.evaluate(
        `[...document.querySelectorAll('main img')].filter((image) => image.checkVisibility())
          .map(({ src, naturalWidth }) => ({ name: src.split('/').at(-1), isLoaded: naturalWidth > 0 }))`,
      );
      expect(shown).toEqual([
        { name: `timeline-${scheme}.svg`, isLoaded: true },
        { name: `layers-${scheme}.svg`, isLoaded: true },
      ]);
      await page.close();
    }
  });

  it('finds a word without a server', { retry: 2 }, async () => {
    const page = await opened('/');
    // The key does nothing before the page's script runs.
    const input = page.locator('#localsearch-input');
    while (!(await input.isVisible())) {
      await page.keyboard.press('Control+k');
      await input.waitFor({ timeout: 2000 }).catch(() => undefined);
    }
    await input.fill('quarantine');
    await page.locator('#localsearch-list a').first().waitFor();
    const results = await page.locator('#localsearch-list a').allTextContents();
    expect(results.some((result) => result.toLowerCase().includes('quarantine'))).toBe(true);
    await page.close();
  });

  it('fits on a small screen', async () => {
    for (const path of ['/', '/tutorial.html', '/packages/kernel.html', '/reference/events.html']) {
      const page = await opened(path, 'light', 400);
      expect({ path, width: await page.evaluate('document.documentElement.scrollWidth') }).toEqual({
        path,
        width: 400,
      });
      await page.close();
    }
  });
});
