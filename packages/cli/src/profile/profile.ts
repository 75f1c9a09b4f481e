import { RECOVERY, type Domain, type Nanoseconds, type Plugin } from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import type { PlannedGuest, RunPlan } from '../config/runPlan.js';
import { keepAlive } from '../run/keepAlive.js';
import { stopAll } from '../run/stopAll.js';
import { countedBy } from './countedLife.js';
import { GuestProfile } from './guestProfile.js';
import { reportOf, type DetectedError, type GuestReport, type ProfileSettings } from './profileReport.js';

interface Profiled {
  readonly name: string;
  readonly profile: GuestProfile;
  readonly domain: Domain;
  readonly detected: readonly DetectedError[];
}

/** What was measured, and which domains failed to stop afterwards. */
export interface Profiles {
  readonly guests: readonly GuestReport[];
  readonly problems: readonly string[];
}

/**
 * Runs the guests of a plan with their plugins, but without a recovery, so that nothing intervenes, and measures the
 * gaps between their signs of progress. Closes the hypervisor. Throws what `createDomain` throws.
 */
export async function profileGuests(
  { hypervisor, guests: planned, domains }: RunPlan,
  forNs: Nanoseconds,
  settings: ProfileSettings,
  signal: AbortSignal,
): Promise<Profiles> {
  const started: Profiled[] = [];
  // QEMU's VMs run by themselves, which keeps no process alive.
  using _ = keepAlive();
  let guests: readonly GuestReport[] = [];
  let problems: readonly string[] = [];
  try {
    for (const guest of planned) started.push(await start(guest, domains, signal));
    await hypervisor.run({ untilNs: forNs, signal });
    guests = started.map(({ name, profile, detected }) => {
      profile.finish();
      return reportOf(name, profile, detected, settings);
    });
  } finally {
    problems = await stopAll(started.map(({ name, domain }) => ({ name, stop: () => domain.stop() })));
    await hypervisor.close();
  }
  return { guests, problems };
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
