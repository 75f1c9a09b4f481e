import { describe, expect, it } from 'vitest';
import { boardTree } from '../../src/devices/boardTree.js';
import { flattenDeviceTree } from '../../src/devices/deviceTree.js';
import { readDeviceTree } from './readDeviceTree.js';

describe('the board in its device tree', () => {
  const read = () =>
    readDeviceTree(boardTree({ memoryBase: 0x8000_0000, memoryBytes: 0x40_0000, bootArgs: 'quiet' }));

  it('has addresses and sizes of two cells each, and devices that follow them', () => {
    const tree = read();
    for (const path of ['', 'soc']) {
      expect(tree.at(path).cells('#address-cells')).toEqual([2]);
      expect(tree.at(path).cells('#size-cells')).toEqual([2]);
    }
    expect(tree.at('memory@80000000').cells('reg')).toEqual([0, 0x8000_0000, 0, 0x40_0000]);
    expect(tree.at('soc/clint@2000000').cells('reg')).toEqual([0, 0x0200_0000, 0, 0xc000]);
    expect(tree.at('soc/serial@10000000').cells('reg')).toEqual([0, 0x1000_0000, 0, 8]);
    expect(tree.at('soc/serial@10000000').cells('clock-frequency')).toEqual([3_686_400]);
  });

  it('has one hart, its interrupts, and a way to switch off', () => {
    const tree = read();
    expect(tree.at('cpus').cells('#address-cells')).toEqual([1]);
    expect(tree.at('cpus').cells('#size-cells')).toEqual([0]);
    expect(tree.at('cpus').cells('timebase-frequency')).toEqual([10_000_000]);
    expect(tree.at('cpus/cpu@0').cells('reg')).toEqual([0]);
    expect(tree.at('cpus/cpu@0/interrupt-controller').cells('phandle')).toEqual([1]);
    expect(tree.at('soc/clint@2000000').cells('interrupts-extended')).toEqual([1, 3, 1, 7]);
    const { regmap, offset, value } = Object.fromEntries(
      ['regmap', 'offset', 'value'].map((name) => [name, tree.at('poweroff').cells(name)]),
    );
    expect(tree.at('soc/test@100000').cells('phandle')).toEqual(regmap);
    expect([offset, value]).toEqual([[0], [0x5555]]);
  });

  it('names the kernel where to print, and its command line', () => {
    const tree = read();
    expect(tree.at('chosen').text('stdout-path')).toBe('/soc/serial@10000000');
    expect(tree.at('chosen').text('bootargs')).toBe('quiet');
    const plain = readDeviceTree(boardTree({ memoryBase: 0, memoryBytes: 4096 }));
    expect([...plain.at('chosen').properties.keys()]).toEqual(['stdout-path']);
  });
});

describe('a flattened device tree', () => {
  it('holds each name of a property once', () => {
    const child = { name: 'a', properties: { 'some-name': [1] } };
    const tree = flattenDeviceTree({ name: '', properties: {}, children: [child, { ...child, name: 'b' }] });
    const text = new TextDecoder('latin1').decode(tree);
    expect(text.split('some-name')).toHaveLength(2);
    const read = readDeviceTree(tree);
    expect([read.at('a').cells('some-name'), read.at('b').cells('some-name')]).toEqual([[1], [1]]);
  });
});
