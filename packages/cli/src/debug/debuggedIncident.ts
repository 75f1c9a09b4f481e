import type { DrawnExperiment, Injected } from '@rmk/campaign';
import { RmkError } from '@rmk/core';
import type { TimeTravel } from '@rmk/hypervisor-embedded';
import { journalledExperiment, type JournalledExperiment } from '../inject/journalledExperiment.js';
import type { Debugged } from './debuggedGuest.js';
import { ProtectedTwin } from './protectedTwin.js';

/**
 * Experiment `number` of a journal, right after its injection, with the whole run before it. Throws RMK_ERR_INPUT for a
 * number that the journal does not hold, RMK_ERR_JOURNAL for a file that is none, or whose experiment changed.
 */
export async function debuggedIncident(journal: string, number: number): Promise<Debugged> {
  const experiment = await journalledExperiment(journal, number);
  const drawn = await experiment.campaign.moment(number);
  if (!drawn.isReached) throw refused(number, 'has nothing injected: its trigger is never due');
  if (drawn.fault.trigger?.arm !== undefined) throw refused(number, 'is injected while RMK works');

  const ends: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const twin = await twinOf(experiment, drawn, ends);
    const travel = await travelOf(experiment, drawn, ends);
    travel.watchBy(twin, 'begun');
    const what = `experiment ${number}: ${experiment.recorded.what}: ${experiment.recorded.outcome}`;
    return {
      travel,
      what: `${what}, right after the injection`,
      incident: `${what}, injected at instruction ${travel.now.instructions}`,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A protected VM, right after the injection. `ends`: takes what ends what this starts. */
async function twinOf(
  { campaign, guest, recorded }: JournalledExperiment,
  drawn: DrawnExperiment,
  ends: (() => Promise<void>)[],
): Promise<ProtectedTwin> {
  const { injectAtGuestNs, protectAtGuestNs } = drawn;
  const ahead = guest.start(campaign.golden.before(protectAtGuestNs));
  ends.push(() => ahead.close());
  const { machine } = ahead;
  const twin = new ProtectedTwin(ahead, (protectedOne, observe) => guest.protect(protectedOne, observe));
  await ahead.run({ untilNs: protectAtGuestNs - machine.guestNs });
  ends.push(() => twin.stop());
  await twin.startHere();
  await ahead.run({ untilNs: machine.clock.now() + injectAtGuestNs - machine.guestNs });
  endedAtOnce(recorded.number, await campaign.injectInto(drawn, ahead));
  return twin;
}

/** The whole run up to the injection, and it. */
async function travelOf(
  { campaign, guest, recorded }: JournalledExperiment,
  drawn: DrawnExperiment,
  ends: (() => Promise<void>)[],
): Promise<TimeTravel> {
  const lone = guest.start();
  ends.push(() => lone.close());
  const { machine } = lone;
  const travel = machine.timeTravel();
  await travel.runToTime(drawn.injectAtGuestNs);
  let last = machine.snapshot();
  const injected = await campaign.injectInto(drawn, {
    ...lone,
    // A fault may wait for a moment that suits it.
    async run({ untilNs }) {
      const untilGuestNs = machine.guestNs + untilNs - machine.clock.now();
      if (!machine.equals(last)) travel.changed();
      await travel.runToTime(untilGuestNs);
      last = machine.snapshot(last);
    },
  });
  endedAtOnce(recorded.number, injected);
  travel.changed();
  return travel;
}

/** Throws RMK_ERR_INPUT for a fault that goes on, beside the state of the guest. */
function endedAtOnce(number: number, injected: Injected | void): void {
  if (injected === undefined) return;
  const { isPending } = injected;
  injected[Symbol.dispose]();
  if (isPending) throw refused(number, 'has a fault that lasts, which is no part of the state of the guest');
}

function refused(number: number, why: string): RmkError {
  return new RmkError(
    'RMK_ERR_INPUT',
    `experiment ${number} ${why}. It cannot be debugged: use rmk inject replay.`,
  );
}
