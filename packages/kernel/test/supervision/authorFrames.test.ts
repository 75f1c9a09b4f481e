import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { authorFrames } from '../../src/supervision/authorFrames.js';

const PACKAGES = fileURLToPath(new URL('../../..', import.meta.url));

function withStack(...frames: readonly string[]): Error {
  const error = new Error('boom');
  error.stack = ['Error: boom', ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return error;
}

const placesOf = (thrown: unknown): readonly string[] => authorFrames(thrown).map(({ place }) => place);

describe('the frames of an author', () => {
  it('are those of the code that threw', () => {
    const [frame] = authorFrames(new Error('here'));
    expect(frame?.place).toMatch(/authorFrames\.test\.ts:\d+:\d+$/);
  });

  it.each([
    ['Node', 'node:internal/process/task_queues:95:5'],
    ['RMK as installed', 'Bus.publish (/home/me/node_modules/@rmk/kernel/dist/bus.js:1:2)'],
    ['RMK as installed by pnpm', '/me/node_modules/.pnpm/x/node_modules/@rmk/testing/dist/rig.js:1:2'],
    ['RMK in a clone', `Bus.publish (${PACKAGES}kernel/src/bus.ts:1:2)`],
    ['RMK as built in a clone', `file://${PACKAGES}cli/dist/run/run.js:1:2`],
    ['a library', 'resolve (/home/me/node_modules/tsyringe/dist/esm5/index.js:1:2)'],
  ])('are not those of %s', (_, frame) => {
    expect(placesOf(withStack(frame))).toEqual([]);
  });

  it.each([
    [
      'an author’s project',
      'Meter.start (/home/me/meter/src/meter.ts:3:9)',
      '/home/me/meter/src/meter.ts:3:9',
    ],
    [
      'an installed plugin',
      'file:///me/node_modules/rmk-plugin-x/dist/x.js:3:9',
      '/me/node_modules/rmk-plugin-x/dist/x.js:3:9',
    ],
    [
      'a plugin of RMK',
      '/me/node_modules/@rmk/recovery/dist/recovery.js:3:9',
      '/me/node_modules/@rmk/recovery/dist/recovery.js:3:9',
    ],
    ['a monorepo with a package core', '/me/packages/core/src/a.ts:3:9', '/me/packages/core/src/a.ts:3:9'],
    ['a test of RMK', `${PACKAGES}kernel/test/bus.test.ts:3:9`, `${PACKAGES}kernel/test/bus.test.ts:3:9`],
  ])('are those of %s', (_, frame, place) => {
    expect(placesOf(withStack('node:fs:1:1', frame))).toEqual([place]);
  });

  it('end where RMK called them', () => {
    const kernel = '/me/node_modules/@rmk/kernel/dist/bus.js:1:2';
    const error = withStack('node:fs:1:1', 'read (/me/a.ts:1:1)', '/me/b.ts:2:2', kernel, '/me/host.ts:3:3');
    expect(placesOf(error)).toEqual(['/me/a.ts:1:1', '/me/b.ts:2:2']);
  });

  it.each([
    ['as installed', '/me/node_modules/@rmk/', '/me/node_modules/@rmk/'],
    ['in a clone', PACKAGES, PACKAGES.replace(/packages\/$/, 'plugins/')],
  ])('are those that called a pin of RMK with what it refuses: %s', (_, packages, plugins) => {
    const dispatch = `Channel.emit (${packages}kernel/dist/bus/bus.js:1:2)`;
    const error = withStack(
      `offsetIn (${packages}driver/dist/ranges.js:1:2)`,
      `PageTable.read (${plugins}pin-ptable/dist/pageTable.js:31:29)`,
      `${packages}kernel/dist/scope/facade.js:1:2`,
      'Meter.look (/me/meter.ts:7:5)',
      dispatch,
      '/me/host.ts:3:3',
    );
    expect(placesOf(error)).toEqual(['/me/meter.ts:7:5']);
    const own = `Recovery.onError (${plugins}recovery/dist/recovery.js:3:9)`;
    expect(placesOf(withStack(own, dispatch, '/me/host.ts:3:3'))).toEqual([
      `${plugins}recovery/dist/recovery.js:3:9`,
    ]);
  });

  it('are those of the cause where an error wraps another', () => {
    const cause = withStack('/me/a.ts:1:1');
    const outer = withStack('/me/b.ts:2:2');
    outer.cause = cause;
    expect(placesOf(outer)).toEqual(['/me/a.ts:1:1']);
  });

  it('are none where something else was thrown, or errors cause each other', () => {
    expect(authorFrames('boom')).toEqual([]);
    const error = withStack('/me/a.ts:1:1');
    const other = withStack('node:fs:1:1');
    error.cause = other;
    other.cause = error;
    expect(placesOf(error)).toEqual(['/me/a.ts:1:1']);
  });
});
