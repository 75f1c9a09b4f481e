import { cowb } from '@rmk/cowb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { defineConfig, type GuestConfig, type RunConfig } from '../src/index.js';

/** What is asserted here by types is checked by the compiler, not by running. */
describe('defineConfig', () => {
  it('gives back what it got', () => {
    const config: RunConfig = { guests: [{ name: 'tasks', guest: 'tasks' }] };
    expect(defineConfig(config)).toBe(config);
  });

  it('takes guests, plugins and options of all kinds', () => {
    defineConfig({
      guests: [
        { name: 'own', elf: './own.elf', memory: '64MiB', logPages: 100, plugins: [cowb()] },
        { name: 'bytes', elf: new Uint8Array(4), memory: 4096, input: [{ at: '1ms', bytes: [1, 2] }] },
        { name: 'zip', guest: 'compressor', file: './file', input: './script', protect: false },
        {
          name: 'data',
          guest: 'tasks',
          bootData: [
            { address: '0x80000000', file: 'x' },
            { address: 1, data: [1] },
          ],
        },
      ],
      plugins: ({ name, memoryBytes }) => {
        expectTypeOf(name).toEqualTypeOf<string>();
        expectTypeOf(memoryBytes).toEqualTypeOf<number>();
        return [];
      },
      hypervisor: { frequencyHz: 100_000_000, slice: '10ms', pace: 'wall-clock' },
      until: '5min',
      output: { directory: 'out' },
    });
    defineConfig({
      guests: [{ name: 'tasks', guest: 'tasks' }],
      protect: {
        interval: '50ms',
        algorithm: cowb(),
        hang: { threshold: '1s' },
        recovery: { maxRestarts: 1 },
      },
      output: 'none',
    });
  });

  it('makes a type error of what is wrong', () => {
    const guest: GuestConfig = { name: 'tasks', guest: 'tasks' };
    // @ts-expect-error: there is no such guest
    defineConfig({ guests: [{ name: 'x', guest: 'task' }] });
    // @ts-expect-error: a guest has one program
    defineConfig({ guests: [{ name: 'x', guest: 'tasks', elf: 'x.elf' }] });
    // @ts-expect-error: and it has one
    defineConfig({ guests: [{ name: 'x' }] });
    // @ts-expect-error: and a name
    defineConfig({ guests: [{ guest: 'tasks' }] });
    // @ts-expect-error: megabytes are not what memory comes in
    defineConfig({ guests: [{ ...guest, memory: '32MB' }] });
    // @ts-expect-error: an entry of input is of one kind
    defineConfig({ guests: [{ ...guest, input: [{ at: '1ms', text: 'x', line: 'y' }] }] });
    // @ts-expect-error: an unknown key
    defineConfig({ guests: [guest], untill: '5s' });
    // @ts-expect-error: a number is no duration
    defineConfig({ guests: [guest], until: 5 });
    // @ts-expect-error: a factory is no plugin
    defineConfig({ guests: [guest], plugins: [cowb] });
    // @ts-expect-error: plugins or the options of the preset
    defineConfig({ guests: [guest], plugins: [], protect: {} });
    // @ts-expect-error: an unknown option of a plugin of the preset
    defineConfig({ guests: [guest], protect: { hang: { treshold: '5ms' } } });
    // @ts-expect-error: an unknown key of the hypervisor
    defineConfig({ guests: [guest], hypervisor: { frequency: 1 } });
    expectTypeOf<RunConfig['output']>().toEqualTypeOf<
      'show' | 'none' | { readonly directory: string } | undefined
    >();
  });
});
