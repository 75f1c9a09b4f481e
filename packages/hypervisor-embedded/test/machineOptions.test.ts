import { hasCode, problemText, type RmkError } from '@rmk/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EmbeddedHypervisor } from '../src/embeddedHypervisor.js';
import { defaultEngine } from '../src/engine.js';
import type { HypervisorOptions, MachineOptions } from '../src/machineOptions.js';
import { assembledElf, spins } from './guestFixtures.js';

const VALID: MachineOptions = { name: 'vm', elf: assembledElf(spins) };
const RAM = 0x8000_0000;

function refusal(action: () => unknown): RmkError {
  try {
    action();
  } catch (error) {
    if (hasCode(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const create = (options: unknown): RmkError =>
  refusal(() => new EmbeddedHypervisor().createMachine(options as MachineOptions));

describe('the options of a VM', () => {
  const bad: readonly (readonly [Record<string, unknown>, path: string])[] = [
    [{ name: '' }, 'name'],
    [{ name: 7 }, 'name'],
    [{ elf: 'file.elf' }, 'elf'],
    [{ elf: undefined }, 'elf'],
    [{ elfSource: 7 }, 'elfSource'],
    [{ memoryBytes: 0 }, 'memoryBytes'],
    [{ memoryBytes: 4095 }, 'memoryBytes'],
    [{ memoryBytes: 4097 }, 'memoryBytes'],
    [{ memoryBytes: 8192.5 }, 'memoryBytes'],
    [{ memoryBytes: -4096 }, 'memoryBytes'],
    [{ memoryBytes: 2 ** 30 + 4096 }, 'memoryBytes'],
    [{ memoryBytes: NaN }, 'memoryBytes'],
    [{ memoryBytes: '32M' }, 'memoryBytes'],
    [{ logPages: 0 }, 'logPages'],
    [{ logPages: 1.5 }, 'logPages'],
    [{ logPages: 2 ** 19 + 1 }, 'logPages'],
    [{ bootData: {} }, 'bootData'],
    [{ bootData: [{ address: -1, data: new Uint8Array(1) }] }, 'bootData[0].address'],
    [{ bootData: [{ address: 2 ** 32, data: new Uint8Array(1) }] }, 'bootData[0].address'],
    [{ bootData: [{ address: RAM, data: [1, 2] }] }, 'bootData[0].data'],
    [{ bootData: [{ address: RAM, data: new Uint8Array(1), size: 1 }] }, 'bootData[0]'],
    [{ input: [{ at: '5', data: new Uint8Array(1) }] }, 'input[0].at'],
    [{ input: [{ at: '-5ms', data: new Uint8Array(1) }] }, 'input[0].at'],
    [{ input: [{ at: '5ms', data: 'text' }] }, 'input[0].data'],
    [{ outputBytes: -1 }, 'outputBytes'],
    [{ outputBytes: 0.5 }, 'outputBytes'],
    [{ memory: 4096 }, ''],
  ];

  it.each(bad)('%o are refused, and the path is named', (options, path) => {
    const { code, problems } = create({ ...VALID, ...options });
    expect(code).toBe('RMK_ERR_INPUT');
    expect(new Set(problems.map((problem) => problem.path))).toEqual(new Set([path]));
  });

  it('that are bad are all named at once', () => {
    const { problems, message } = create({ name: '', elf: 1, memoryBytes: 1, logPages: 0 });
    expect(new Set(problems.map((problem) => problem.path))).toEqual(
      new Set(['name', 'elf', 'memoryBytes', 'logPages']),
    );
    for (const problem of problems) expect(message).toContain(problemText(problem));
  });

  it.each([undefined, null, 7, 'vm', []])('cannot be %o', (options) => {
    expect(create(options).code).toBe('RMK_ERR_INPUT');
  });

  it('of the largest and of the smallest VM are taken', () => {
    const hypervisor = new EmbeddedHypervisor();
    const largest = hypervisor.createMachine({ ...VALID, memoryBytes: 2 ** 30, logPages: 2 ** 19 });
    const smallest = hypervisor.createMachine({
      ...VALID,
      name: 'small',
      memoryBytes: 4096,
      logPages: 1,
      outputBytes: 0,
    });
    expect([largest.memoryPages, smallest.memoryPages]).toEqual([2 ** 18, 1]);
  });

  it('name a broken ELF and where it came from', () => {
    const elf = VALID.elf.slice();
    elf[0] = 0;
    expect(create({ ...VALID, elf, elfSource: 'guest.elf' })).toMatchObject({
      code: 'RMK_ERR_ELF',
      message: expect.stringContaining('guest.elf') as string,
    });
    expect(create({ ...VALID, elf: VALID.elf.slice(0, 60) })).toMatchObject({
      code: 'RMK_ERR_ELF',
      message: expect.stringContaining('the ELF of VM "vm"') as string,
    });
    expect(create({ ...VALID, elf: new Uint8Array(0) }).code).toBe('RMK_ERR_ELF');
  });

  it('name each piece of boot data that does not lie in RAM', () => {
    const data = new Uint8Array(16);
    const { code, problems } = create({
      ...VALID,
      memoryBytes: 8192,
      bootData: [
        { address: RAM + 8192 - 16, data },
        { address: RAM + 8192 - 15, data },
        { address: RAM - 1, data },
        { address: 0, data },
      ],
    });
    expect(code).toBe('RMK_ERR_INPUT');
    expect(problems.map((problem) => problem.path)).toEqual(['bootData[1]', 'bootData[2]', 'bootData[3]']);
    expect(problems[0]?.message).toContain(
      '16 bytes at 0x80001ff1 do not lie in RAM (0x80000000 to 0x80001fff)',
    );
  });

  it('are copied: what the caller does to the arrays later does not show after a restart', async () => {
    const data = Uint8Array.of(1, 2, 3);
    const elf = VALID.elf.slice();
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine({ ...VALID, elf, bootData: [{ address: RAM + 0x2000, data }] });
    const digest = machine.digest();
    data.fill(9);
    elf.fill(9);
    await machine.restart();
    expect(machine.digest()).toEqual(digest);
  });
});

describe('the options of the hypervisor', () => {
  const bad: readonly (readonly [Record<string, unknown>, path: string])[] = [
    [{ frequencyHz: 0 }, 'frequencyHz'],
    [{ frequencyHz: 9_999_999 }, 'frequencyHz'],
    [{ frequencyHz: 30_000_000 }, 'frequencyHz'],
    [{ frequencyHz: 2_000_000_000 }, 'frequencyHz'],
    [{ frequencyHz: 1e8 + 0.5 }, 'frequencyHz'],
    [{ slice: '0ms' }, 'slice'],
    [{ slice: '-1ms' }, 'slice'],
    [{ slice: '10' }, 'slice'],
    [{ slice: 10 }, 'slice'],
    [{ slice: '0.5ns' }, 'slice'],
    [{ pace: 'fast' }, 'pace'],
    [{ frequency: 1 }, ''],
  ];

  it.each(bad)('%o are refused, and the path is named', (options, path) => {
    const { code, problems } = refusal(() => new EmbeddedHypervisor(options));
    expect(code).toBe('RMK_ERR_INPUT');
    expect(problems[0]?.path).toBe(path);
  });

  it.each([10e6, 20e6, 50e6, 100e6, 200e6, 250e6, 500e6, 1000e6].filter((hz) => 1e9 % hz === 0))(
    'take a frequency of %d Hz: 1 ms has a thousandth of it in instructions',
    async (frequencyHz) => {
      const hypervisor = new EmbeddedHypervisor({ frequencyHz });
      const machine = hypervisor.createMachine(VALID);
      await hypervisor.run({ untilNs: 1e6 });
      expect(machine.instructions).toBe(frequencyHz / 1000);
    },
  );

  it('round a slice to whole cycles, at least one', () => {
    const intervalOf = (slice: HypervisorOptions['slice']): number =>
      new EmbeddedHypervisor({ slice }).createMachine(VALID).schedulingIntervalNs;
    expect(intervalOf('1ns')).toBe(10);
    expect(intervalOf('26ns')).toBe(30);
    expect(intervalOf('10ms')).toBe(10e6);
  });
});

describe('the engine of a VM that names none', () => {
  afterEach(() => void vi.unstubAllEnvs());

  it.each([
    ['', 'translator'],
    ['translator', 'translator'],
    ['interpreter', 'interpreter'],
  ])('with RMK_ENGINE=%s is the %s', (named, expected) => {
    vi.stubEnv('RMK_ENGINE', named);
    expect(defaultEngine()).toBe(expected);
  });

  it('is refused where RMK_ENGINE names one that does not exist', () => {
    vi.stubEnv('RMK_ENGINE', 'qemu');
    expect(() => defaultEngine()).toThrow(
      'RMK_ENGINE names the engine "qemu". Set it to translator or interpreter, or unset it.',
    );
  });
});
