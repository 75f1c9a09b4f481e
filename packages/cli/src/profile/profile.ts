import { RECOVERY, type Domain, type Nanoseconds, type Plugin } from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import type { PlannedGuest, RunPlan } from '../config/runPlan.js';
import { countedBy } from './countedLife.js';
import { GuestProfile } from './guestProfile.js';
import { reportOf, type DetectedError, type GuestReport, type ProfileSettings } from './profileReport.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Profiled {
  readonly name: string;
  readonly profile: GuestProfile;
  readonly domain: Domain;
  readonly detected: readonly DetectedError[];
}

/**
 * Runs the guests of a plan with their plugins, but without a recovery, so that nothing intervenes, and measures the gaps
 * between their signs of life. Closes the hypervisor. Throws what `createDomain` throws.
 */
export async function profileGuests(
  { hypervisor, guests, domains }: RunPlan,
  forNs: Nanoseconds,
  settings: ProfileSettings,
  signal: AbortSignal,
): Promise<readonly GuestReport[]> {
  const started: Profiled[] = [];
  // QEMU's VMs run by themselves, which keeps no process alive.
  const keepAlive = setInterval(() => {}, LONGEST_TIMER_MS);
  try {
    for (const guest of guests) started.push(await start(guest, domains, signal));
    await hypervisor.run({ untilNs: forNs, signal });
    const reports = started.map(({ name, profile, detected }) => {
      profile.finish();
      return reportOf(name, profile, detected, settings);
    });
    return reports;
  } finally {
    clearInterval(keepAlive);
    for (const { domain } of started.toReversed()) await domain.stop();
    await hypervisor.close();
  }
}

async function start(
  guest: PlannedGuest,
  settings: RunPlan['domains'],
  signal: AbortSignal,
): Promise<Profiled> {
  const { name, plugins } = guest;
  const { vm } = await guest.start({ signal, takesOver: false });
  const profile = new GuestProfile(vm, countedBy(plugins));
  const detected: DetectedError[] = [];
  const domain = await createDomain({
    name,
    machine: vm,
    plugins: plugins.filter((plugin) => !isRecovery(plugin)),
    ...settings,
    observe: (bus) =>
      bus.on('EVT_ERRORDETECTED', ({ atNs, kind, source, cause }) => {
        detected.push({ atNs, kind, detector: source, cause });
      }),
  });
  return { name, profile, domain, detected };
}

function isRecovery({ definition }: Plugin): boolean {
  return definition.provides?.some(({ token }) => token === RECOVERY) ?? false;
}
