import { defineConfig } from 'vitepress';
import { packagePages, version } from '../../scripts/docs/navigation.mjs';

const guides = [
  {
    text: 'Start',
    items: [
      { text: 'What RMK is', link: '/what-is-rmk' },
      { text: 'Ten-minute tutorial', link: '/tutorial' },
      { text: 'Protect a Linux VM', link: '/protect-a-linux-vm' },
      { text: 'Bring your own guest', link: '/bring-your-own-guest' },
      { text: 'Operate', link: '/operate' },
    ],
  },
  {
    text: 'Write plugins',
    items: [
      { text: 'A detector', link: '/write-a-detector' },
      { text: 'A checkpoint algorithm', link: '/write-an-algorithm' },
      { text: 'A recovery', link: '/write-a-recovery' },
      { text: 'A pin', link: '/write-a-pin' },
      { text: 'Test a plugin', link: '/test-a-plugin' },
    ],
  },
  {
    text: 'Understand',
    items: [
      { text: 'The models', link: '/models' },
      { text: 'Architecture', link: '/architecture' },
      { text: 'Glossary', link: '/glossary' },
      { text: 'Changelog', link: '/changelog' },
    ],
  },
];

const reference = [
  {
    text: 'Reference',
    items: [
      { text: 'Events', link: '/reference/events' },
      { text: 'Tokens', link: '/reference/tokens' },
      { text: 'Options', link: '/reference/options' },
      { text: 'Errors and warnings', link: '/errors' },
      { text: 'Command line', link: '/packages/cli' },
      { text: 'API', link: '/api/' },
    ],
  },
];

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
    sidebar: [
      ...guides,
      ...reference,
      { text: 'Packages', collapsed: true, items: packagePages('packages') },
      { text: 'Plugins', collapsed: true, items: packagePages('plugins') },
    ],
    footer: { message: 'Apache-2.0' },
  },
});
