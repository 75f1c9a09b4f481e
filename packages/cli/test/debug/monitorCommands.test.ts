import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { expect, it } from 'vitest';
import { MonitorCommands } from '../../src/debug/monitorCommands.js';
import { ECHO } from '../boardPrograms.js';

it('shows the output of the guest without its control characters', async () => {
  const data = new TextEncoder().encode('\x1b[2Jwiped\tout\r\n');
  const travel = new EmbeddedHypervisor()
    .createMachine({ name: 'vm', elf: ECHO, input: [{ at: '1us', data }] })
    .timeTravel();
  const { signal } = new AbortController();
  const monitor = new MonitorCommands(travel, undefined);
  expect(await monitor.execute('output', signal)).toBe('');
  expect((await travel.continue()).why).toBe('end');
  expect(await monitor.execute('output', signal)).toBe('\\x1b[2Jwiped\tout\n');
});
