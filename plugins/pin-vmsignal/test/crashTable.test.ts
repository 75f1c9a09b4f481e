import type { Privilege } from '@rmk/core';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { isCrash, pinVmsignal, RISCV_BARE_METAL } from '../src/index.js';

const PRIVILEGES: readonly Privilege[] = ['user', 'kernel', 'machine'];

/** By cause: in which privileges it is ordinary life. Every other exception is a crash. */
const ORDINARY: Readonly<Record<string, readonly Privilege[]>> = {
  'environment-call-from-user': ['user'],
  'environment-call-from-machine': ['machine'],
  'illegal-instruction': ['user'],
  breakpoint: ['user'],
};

describe('the table of crashes', () => {
  it('knows for every exception of the board, in every privilege, whether it is one', async () => {
    const { machine } = await startRig({ guest: 'tasks', plugins: [pinVmsignal()] });
    const causes = [...machine.signals, 'exit-failure', 'a cause that nobody knows'];
    for (const cause of causes) {
      for (const privilege of PRIVILEGES) {
        const ordinary = ORDINARY[cause]?.includes(privilege) ?? false;
        expect(isCrash({ cause, privilege }, RISCV_BARE_METAL), `${cause} in ${privilege} mode`).toBe(
          !ordinary,
        );
      }
    }
  });

  it('calls everything a crash where nothing is ordinary', () => {
    expect(isCrash({ cause: 'breakpoint', privilege: 'user' }, [])).toBe(true);
  });
});
