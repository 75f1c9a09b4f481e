import type { Privilege } from '@rmk/core';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { ordinaryOption } from '../src/crashTable.js';
import {
  CRASH_TABLES,
  isCrash,
  pinVmsignal,
  RISCV_BARE_METAL,
  RISCV_LINUX,
  RISCV_RTOS,
  type CrashTableName,
} from '../src/index.js';

const PRIVILEGES: readonly Privilege[] = ['user', 'kernel', 'machine'];

/** By cause: in which privileges it is ordinary life. Every other exception is a crash. */
type Ordinary = Readonly<Record<string, readonly Privilege[]>>;

const BARE_METAL: Ordinary = {
  'environment-call-from-user': ['user'],
  'environment-call-from-machine': ['machine'],
  'illegal-instruction': ['user'],
  breakpoint: ['user'],
};
const RTOS: Ordinary = {
  ...BARE_METAL,
  'load-address-misaligned': ['user'],
  'store-address-misaligned': ['user'],
};

const TABLES: readonly (readonly [CrashTableName, (cause: string) => readonly Privilege[]])[] = [
  ['bare-metal', (cause) => BARE_METAL[cause] ?? []],
  ['rtos', (cause) => RTOS[cause] ?? []],
  ['linux', (cause) => (cause === 'environment-call-from-machine' ? ['user', 'machine'] : ['user'])],
];

describe('the table of crashes', () => {
  it.each(TABLES)(
    '%s knows for every exception of the board, in every privilege, whether it is one',
    async (name, ordinary) => {
      const { machine } = await startRig({ guest: 'tasks', plugins: [pinVmsignal()] });
      const causes = [...machine.signals, 'exit-failure', 'a cause that nobody knows'];
      for (const cause of causes) {
        for (const privilege of PRIVILEGES) {
          expect(isCrash({ cause, privilege }, CRASH_TABLES[name]), `${cause} in ${privilege} mode`).toBe(
            !ordinary(cause).includes(privilege),
          );
        }
      }
    },
  );

  it('is that of bare metal by default, and can be named or given', () => {
    expect(ordinaryOption.parse(undefined)).toEqual(RISCV_BARE_METAL);
    expect(ordinaryOption.parse('rtos')).toEqual(RISCV_RTOS);
    expect(ordinaryOption.parse('linux')).toEqual(RISCV_LINUX);
    expect(ordinaryOption.parse([])).toEqual([]);
    expect(ordinaryOption.safeParse('windows').success).toBe(false);
  });

  it('calls everything a crash where nothing is ordinary', () => {
    expect(isCrash({ cause: 'breakpoint', privilege: 'user' }, [])).toBe(true);
  });
});
