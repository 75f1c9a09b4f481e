import { RmkError } from '@rmk/core';
import type { TimeTravel } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { planRun, type PlannedGuest, type RunPlan } from '../config/runPlan.js';
import { ProtectedTwin } from './protectedTwin.js';

/** A guest, ready to be debugged. */
export interface Debugged {
  readonly travel: TimeTravel;
  /** For the terminal, a line. */
  readonly what: string;
  /** What was injected, if anything. */
  readonly incident?: string;
  close(): Promise<void>;
}

/**
 * The guest of a config, at its boot. `name`: which one, where there are several. Throws RMK_ERR_INPUT for a config
 * that is wrong, a name that is not in it, and a guest that cannot be turned back.
 */
export async function debuggedGuest(configFile: string, name: string | undefined): Promise<Debugged> {
  const plan = await planRun(configFile);
  await plan.hypervisor.close();
  const guest = chosen(plan, name);
  const { embedded, plugins } = guest;
  if (embedded === undefined)
    throw new RmkError(
      'RMK_ERR_INPUT',
      `guest ${guest.name} is in QEMU, which cannot be turned back. Name an embedded guest, or connect gdb to a stub of QEMU's own (-gdb).`,
    );
  const debugged = embedded();
  const ahead = embedded();
  const twin = new ProtectedTwin(
    { machine: ahead.machine, run: (how) => ahead.hypervisor.run(how) },
    (machine, observe) => createDomain({ name: guest.name, machine, plugins, ...plan.domains, observe }),
  );
  const close = async (): Promise<void> => {
    await twin.stop();
    for (const { hypervisor } of [debugged, ahead]) await hypervisor.close();
  };
  try {
    const travel = debugged.machine.timeTravel();
    travel.watchBy(twin);
    return { travel, what: `${guest.name}, at its boot`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function chosen({ guests }: RunPlan, name: string | undefined): PlannedGuest {
  const names = guests.map((each) => each.name).join(', ');
  const [first, ...more] = name === undefined ? guests : guests.filter((each) => each.name === name);
  if (first === undefined)
    throw new RmkError('RMK_ERR_INPUT', `the config has no guest ${JSON.stringify(name)}; it has ${names}`);
  if (more.length > 0)
    throw new RmkError('RMK_ERR_INPUT', `the config has several guests. Choose one by --guest: ${names}.`);
  return first;
}
