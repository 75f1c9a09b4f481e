import 'reflect-metadata';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BUS, definePlugin, type Bus } from '@rmk/core';
import { expect, it, onTestFinished } from 'vitest';
import { domainOf } from '../testDomain.js';

const require = createRequire(import.meta.url);

interface Injection {
  readonly injectable: () => (target: unknown) => void;
  readonly inject: (token: unknown) => (target: unknown, key: undefined, index: number) => void;
}

/** tsyringe as a plugin has it that brings its own. */
function secondTsyringe(): Injection {
  const original = dirname(require.resolve('tsyringe/package.json'));
  const folder = mkdtempSync(join(dirname(original), '.second-copy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(original, join(folder, 'tsyringe'), { recursive: true });
  return require(join(folder, 'tsyringe')) as Injection;
}

it('a plugin with a tsyringe of its own is injected as any other', async () => {
  const { injectable, inject } = secondTsyringe();
  const given: Bus[] = [];
  class Own {
    constructor(private readonly bus: Bus) {}

    start(): void {
      given.push(this.bus);
    }
  }
  inject(BUS)(Own, undefined, 0);
  injectable()(Own);
  const own = definePlugin({ name: 'own', version: '1.0.0', rmk: '>=0.1.0', modules: [Own] });
  const { domain } = await domainOf([own()]);
  expect(domain.plugins).toMatchObject([{ name: 'own', state: 'active' }]);
  expect(typeof given[0]?.on).toBe('function');
});
