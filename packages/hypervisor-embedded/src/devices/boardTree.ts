import { CLINT_BASE, CLINT_BYTES, TIMEBASE_HZ } from './clint.js';
import { flattenDeviceTree, type DeviceNode } from './deviceTree.js';
import { FINISHER_BASE, FINISHER_BYTES } from './finisher.js';
import { UART_BASE, UART_BYTES } from './uart.js';

const ISA = 'rv32imac_zicsr_zifencei_zba_zbb_zbs';
/** Of QEMU's `virt` board: what a driver divides by to set a speed, which changes nothing here. */
const UART_CLOCK_HZ = 3_686_400;
const HART_INTERRUPTS = 1;
const FINISHER = 2;
const MACHINE_SOFTWARE = 3;
const MACHINE_TIMER = 7;
const SWITCH_OFF = 0x5555;

export interface TreeOptions {
  readonly memoryBase: number;
  readonly memoryBytes: number;
  /** The kernel's command line. */
  readonly bootArgs?: string;
}

/** The board as a kernel finds it in its device tree. Names and properties are those of QEMU's `virt` board. */
export function boardTree({ memoryBase, memoryBytes, bootArgs }: TreeOptions): Uint8Array {
  return flattenDeviceTree({
    name: '',
    properties: {
      '#address-cells': [2],
      '#size-cells': [2],
      compatible: 'rmk,board',
      model: 'RMK embedded hypervisor',
    },
    children: [
      {
        name: 'chosen',
        properties: {
          'stdout-path': `/soc/serial@${UART_BASE.toString(16)}`,
          ...(bootArgs === undefined ? {} : { bootargs: bootArgs }),
        },
      },
      device('memory', memoryBase, memoryBytes, { device_type: 'memory' }),
      cpus(),
      soc(),
      {
        name: 'poweroff',
        properties: { compatible: 'syscon-poweroff', regmap: [FINISHER], offset: [0], value: [SWITCH_OFF] },
      },
    ],
  });
}

function cpus(): DeviceNode {
  return {
    name: 'cpus',
    properties: { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [TIMEBASE_HZ] },
    children: [
      {
        name: 'cpu@0',
        properties: {
          device_type: 'cpu',
          reg: [0],
          status: 'okay',
          compatible: 'riscv',
          'riscv,isa': ISA,
          'mmu-type': 'riscv,none',
        },
        children: [
          {
            name: 'interrupt-controller',
            properties: {
              '#interrupt-cells': [1],
              'interrupt-controller': true,
              compatible: 'riscv,cpu-intc',
              phandle: [HART_INTERRUPTS],
            },
          },
        ],
      },
    ],
  };
}

function soc(): DeviceNode {
  return {
    name: 'soc',
    properties: { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true },
    children: [
      device('test', FINISHER_BASE, FINISHER_BYTES, {
        compatible: ['sifive,test1', 'sifive,test0', 'syscon'],
        phandle: [FINISHER],
      }),
      device('clint', CLINT_BASE, CLINT_BYTES, {
        compatible: ['sifive,clint0', 'riscv,clint0'],
        'interrupts-extended': [HART_INTERRUPTS, MACHINE_SOFTWARE, HART_INTERRUPTS, MACHINE_TIMER],
      }),
      device('serial', UART_BASE, UART_BYTES, {
        compatible: 'ns16550a',
        'clock-frequency': [UART_CLOCK_HZ],
      }),
    ],
  };
}

function device(
  kind: string,
  address: number,
  bytes: number,
  properties: DeviceNode['properties'],
): DeviceNode {
  return {
    name: `${kind}@${address.toString(16)}`,
    properties: { ...properties, reg: [0, address, 0, bytes] },
  };
}
