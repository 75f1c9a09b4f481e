import { describe, expect, it, onTestFinished } from 'vitest';
import { GuestMemory } from '../../src/memory/guestMemory.js';
import { Growth } from '../../src/translator/growth.js';
import { decode } from '../../src/translator/instruction.js';
import { RegionFinder } from '../../src/translator/region.js';
import { RegionTable, type Bounds } from '../../src/translator/regionTable.js';
import { WebAssembly } from '../../src/webAssembly.js';
import { Assembler } from '../assembler.js';
import { collectGarbage } from '../collectGarbage.js';
import { PAGE, RAM } from '../testBoard.js';

const PLENTY: Bounds = { regions: 1000, moduleBytes: 1 << 20 };

/** A table, and a way to add a loop as a region: each lies in a line of its own. */
function tableOf(bounds: Bounds) {
  const memory = new GuestMemory(16 * PAGE, 1);
  const table = new RegionTable(memory, { guard: () => 0, readCsr: () => 0 }, bounds);
  const add = (loop: number, replaced?: number): number => {
    const pc = (RAM + 64 * loop) | 0;
    const words = new Assembler(RAM + 64 * loop).addi('a0', 'a0', 1).jump(-4).words();
    memory.i32.set(words, 16 * loop);
    const growth = new Growth([pc]);
    const region = RegionFinder.find(growth.asked, {
      fetch: (at) => ({
        pc: at,
        bytes: 4,
        instruction: decode(memory.i32[((at - RAM) >>> 0) >>> 2] ?? 0, at),
      }),
      isWarm: () => true,
      base: RAM,
      maxInstructions: 100,
    });
    if (region === undefined) throw new TypeError('a loop is a region');
    table.add(region, growth, replaced === undefined ? undefined : table.at(replaced)?.owner);
    return pc;
  };
  return { memory, table, add };
}

/** References to the instances that are made from here on. */
function watchInstances(): readonly WeakRef<object>[] {
  const { Instance } = WebAssembly;
  const made: WeakRef<object>[] = [];
  const watched = new Proxy(Instance, {
    construct(target, parameters: [object, object]) {
      const instance = new target<object>(...parameters);
      made.push(new WeakRef(instance));
      return instance;
    },
  });
  Object.assign(WebAssembly, { Instance: watched });
  onTestFinished(() => void Object.assign(WebAssembly, { Instance }));
  return made;
}

describe('RegionTable', () => {
  it('executes a region from where it is entered', () => {
    const { table, memory, add } = tableOf(PLENTY);
    const way = table.at(add(3));
    expect(way === undefined ? undefined : table.run(1001, way)).toBe(1);
    expect(memory.registers[10]).toBe(500);
  });

  it('ends the regions first that were not entered since others were', () => {
    const { table, add } = tableOf({ ...PLENTY, regions: 4 });
    const [first, second, third, fourth] = [0, 1, 2, 3].map(add);
    const isThere = (pc = 0) => table.at(pc) !== undefined;
    for (let loop = 4; loop < 40; loop += 1) {
      for (const pc of [first, third]) {
        const way = table.at(pc ?? 0);
        if (way !== undefined) table.run(10, way);
      }
      add(loop);
      expect(table.size).toBe(4);
    }
    expect([first, second, third, fourth].map(isThere)).toEqual([true, false, true, false]);
  });

  it('grows a region where there is room for no other', () => {
    const { table, memory, add } = tableOf({ ...PLENTY, regions: 1 });
    let pc = add(0);
    for (let loop = 1; loop < 50; loop += 1) {
      const way = table.at(pc);
      if (way !== undefined) table.run(10, way);
      pc = add(loop, pc);
      expect(table.size).toBe(1);
    }
    memory.registers[10] = 0;
    const way = table.at(pc);
    expect(way === undefined ? undefined : table.run(1001, way)).toBe(1);
    expect(memory.registers[10]).toBe(500);
  });

  it('counts the bytes of a region that ended once, also of one that was to be replaced', () => {
    const { table, add } = tableOf({ regions: 4, moduleBytes: 2000 });
    let pc = add(0);
    for (let loop = 1; loop < 200; loop += 1) pc = add(loop, loop % 2 === 0 ? pc : undefined);
    expect(table.size).toBeLessThanOrEqual(4);
  });

  it('keeps modules up to a number of bytes', () => {
    const { table, add } = tableOf({ ...PLENTY, moduleBytes: 2000 });
    for (let loop = 0; loop < 100; loop += 1) add(loop);
    expect(table.size).toBeGreaterThan(4);
    expect(table.size).toBeLessThan(20);
  });

  it('leaves nothing in memory of regions that have ended', async () => {
    const { table, add } = tableOf({ ...PLENTY, regions: 8 });
    const instances = watchInstances();
    for (let loop = 0; loop < 300; loop += 1) {
      const way = table.at(add(loop % 200));
      if (way !== undefined) table.run(10, way);
    }
    expect(instances.length).toBe(300);
    await collectGarbage();
    const alive = instances.filter((instance) => instance.deref() !== undefined).length;
    expect(alive).toBeLessThanOrEqual(8);
    expect(table.size).toBe(8);
  });

  it('gives back the slots of regions that have ended', () => {
    const { table, memory, add } = tableOf({ ...PLENTY, regions: 2 });
    for (let loop = 0; loop < 100; loop += 1) add(loop);
    const { slotEntries, slots } = memory.layout;
    const entries = memory.words.subarray(slotEntries >>> 2, (slotEntries >>> 2) + 2 * slots);
    expect(entries.filter((_, index) => index % 2 === 0).filter((word) => word !== 0)).toHaveLength(2);
    expect(entries.subarray(16).every((word) => word === 0)).toBe(true);
    expect(table.size).toBe(2);
  });

  it('lets no indirect jump find the slot of a region that has ended', () => {
    const { table, memory, add } = tableOf({ ...PLENTY, regions: 1 });
    const pc = add(1);
    expect(table.cache(pc)).toBe(true);
    const { jumpCache, jumpCacheEntries } = memory.layout;
    const cache = memory.words.subarray(jumpCache >>> 2, (jumpCache >>> 2) + 2 * jumpCacheEntries);
    expect(cache.includes(pc)).toBe(true);
    add(2);
    expect(cache.includes(pc)).toBe(false);
    expect(table.cache(pc)).toBe(false);
  });
});
