import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RMK_VERSION } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { createPlugin, KIND_NAMES, UsageError } from '../src/index.js';
import { temporaryFolder } from './temporaryFolder.js';

const PLACEHOLDER = /plugin-?name|0\.0\.0-rmk/i;

describe.each(KIND_NAMES)('a new %s', (kind) => {
  const create = (directory: string) => createPlugin({ name: '@acme/room-temperature', kind, directory });

  it('has all the files of a plugin, and no placeholder is left in one', () => {
    using folder = temporaryFolder();
    const directory = join(folder.path, 'new', 'plugin');
    const written = create(directory);
    expect(written).toMatchObject({ packageName: '@acme/rmk-plugin-room-temperature', directory });
    expect(written.files).toEqual(
      expect.arrayContaining([
        '.gitignore',
        'README.md',
        'package.json',
        'src/events.ts',
        'src/index.ts',
        'src/options.ts',
        'src/plugin.ts',
        'src/roomTemperature.ts',
        'test/roomTemperature.test.ts',
        'tsconfig.json',
        'vitest.config.ts',
      ]),
    );
    for (const file of written.files) {
      expect(file).not.toMatch(PLACEHOLDER);
      expect(readFileSync(join(directory, file), 'utf8'), file).not.toMatch(PLACEHOLDER);
    }
  });

  it('has a package that npm can publish and others can find', () => {
    using folder = temporaryFolder();
    create(folder.path);
    const manifest: unknown = JSON.parse(readFileSync(join(folder.path, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({
      name: '@acme/rmk-plugin-room-temperature',
      type: 'module',
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      engines: { node: '>=20.19' },
      scripts: { build: expect.any(String), test: 'vitest run' },
      dependencies: { zod: expect.any(String) },
      // Shared with whoever installs the plugin: a copy of its own could not be injected into.
      peerDependencies: {
        '@rmk/core': `^${RMK_VERSION}`,
        'reflect-metadata': expect.any(String),
        tsyringe: expect.any(String),
      },
      devDependencies: { '@rmk/testing': `^${RMK_VERSION}`, vitest: expect.any(String) },
    });
    expect(manifest).not.toHaveProperty(['dependencies', '@rmk/core']);
    expect(manifest).toHaveProperty('description', expect.stringContaining('RMK'));
    expect(manifest).toHaveProperty('keywords', expect.arrayContaining(['rmk', 'rmk-plugin']));
  });

  it('names its own event in the manifest, and in the README, as its options', () => {
    using folder = temporaryFolder();
    create(folder.path);
    const text = (path: string): string => readFileSync(join(folder.path, path), 'utf8');
    const [event = ''] = /EVT_ROOMTEMPERATURE[A-Z]+/.exec(text('src/events.ts')) ?? [];
    expect(text('src/plugin.ts')).toContain(`events: ['${event}']`);
    expect(text('README.md')).toContain(`\`${event}\``);
    const options = [...text('src/options.ts').matchAll(/^ {2}(\w+): z/gm)].map(([, option]) => option);
    expect(options.length).toBeGreaterThan(0);
    for (const option of options) expect(text('README.md')).toContain(`| \`${option}\``);
    for (const section of ['## Options', '## Events']) expect(text('README.md')).toContain(section);
  });
});

describe('where it is written', () => {
  const order = { name: 'fan', kind: 'detector' } as const;

  it('is a new folder, or an empty one', () => {
    using folder = temporaryFolder();
    createPlugin({ ...order, directory: folder.path });
    expect(existsSync(join(folder.path, 'package.json'))).toBe(true);
  });

  it('is never a folder that has anything in it', () => {
    using folder = temporaryFolder();
    const directory = join(folder.path, 'taken');
    mkdirSync(directory);
    writeFileSync(join(directory, '.hidden'), 'mine');
    expect(() => createPlugin({ ...order, directory })).toThrow(UsageError);
    expect(() => createPlugin({ ...order, directory })).toThrow(
      `${directory} is not empty: choose another name`,
    );
    expect(readdirSync(directory)).toEqual(['.hidden']);
  });

  it('is not a file, or a link to nowhere', () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'file');
    writeFileSync(file, 'mine');
    expect(() => createPlugin({ ...order, directory: file })).toThrow(`${file} is a file`);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    const link = join(folder.path, 'link');
    symlinkSync(join(folder.path, 'nowhere'), link);
    expect(() => createPlugin({ ...order, directory: link })).toThrow();
    expect(existsSync(join(folder.path, 'nowhere'))).toBe(false);
  });
});

it.each([
  ['clock', 'algorithm'],
  ['module', 'detector'],
  ['set', 'algorithm'],
  ['vcpu-pin', 'recovery'],
] as const)('refuses the name %s for a %s, whose files use the word', (name, kind) => {
  using folder = temporaryFolder();
  const directory = join(folder.path, 'plugin');
  const create = () => createPlugin({ name, kind, directory });
  expect(create).toThrow(UsageError);
  expect(create).toThrow(`add one, such as rmk-plugin-${name}-${kind}`);
  expect(existsSync(directory)).toBe(false);
  createPlugin({ name: `${name}-${kind}`, kind, directory });
});
