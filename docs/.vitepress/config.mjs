import { defineConfig } from 'vitepress';
import { sidebar, version } from '../../scripts/docs/navigation.mjs';

/** GitHub's anchors, since the same files are read there. */
function slugify(text) {
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

export default defineConfig({
  title: 'RMK',
  description:
    'A Reliability MicroKernel: checkpoints, error detection and rollback in place for virtual machines',
  lang: 'en',
  srcDir: '.vitepress/pages',
  outDir: '.vitepress/dist',
  cacheDir: '.vitepress/cache',
  cleanUrls: false,
  lastUpdated: false,
  markdown: {
    anchor: { slugify },
    theme: { light: 'github-light', dark: 'github-dark' },
    languageAlias: { ld: 'text' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Guides', link: '/what-is-rmk' },
      { text: 'Reference', link: '/reference/events' },
      { text: 'Packages', link: '/readme#the-packages' },
      { text: version, link: '/changelog' },
    ],
    sidebar: sidebar(),
    footer: { message: 'Apache-2.0' },
  },
});
