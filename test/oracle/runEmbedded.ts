import { EmbeddedHypervisor, UART } from '@rmk/hypervisor-embedded';
import type { OracleGuest } from './guest.js';
import type { WholeRun } from './runUnderQemu.js';

/** The engines of the embedded hypervisor. */
export const ENGINES = ['interpreter', 'translator'] as const;

/** Runs a guest to its end on the embedded hypervisor. */
export async function runEmbedded(
  { input, bootData = [], ...guest }: OracleGuest,
  engine?: (typeof ENGINES)[number],
): Promise<WholeRun> {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({
    ...guest,
    bootData: [...bootData],
    ...(engine === undefined ? {} : { engine }),
  });
  let sent = false;
  machine.observe('output', () => {
    if (sent || input === undefined) return;
    sent = true;
    void machine.input(UART, input);
  });
  await hypervisor.run();
  const { exitCode, committedOutput: output } = machine;
  await hypervisor.close();
  if (exitCode === undefined) {
    throw new Error(`${guest.name} stopped forever; its output: ${new TextDecoder().decode(output)}`);
  }
  return { exitCode: exitCode & 0xff, output };
}
