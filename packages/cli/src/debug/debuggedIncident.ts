import { RmkError } from '@rmk/core';
import { journalledExperiment } from '../inject/journalledExperiment.js';
import type { Debugged } from './debuggedGuest.js';
import { ProtectedTwin } from './protectedTwin.js';

/**
 * Experiment `number` of a journal, right after its injection, with the whole run before it. Throws RMK_ERR_INPUT for a
 * number that the journal does not hold, RMK_ERR_JOURNAL for a file that is none, or whose experiment changed.
 */
export async function debuggedIncident(journal: string, number: number): Promise<Debugged> {
  const { campaign, guest, recorded } = await journalledExperiment(journal, number);
  const drawn = await campaign.moment(number);
  const { injectAtGuestNs, protectAtGuestNs, isReached } = drawn;
  if (!isReached) throw refused(number, 'has nothing injected: its trigger is never due');
  if (drawn.fault.trigger?.arm !== undefined) throw refused(number, 'is injected while RMK works');

  const ahead = guest.start(campaign.golden.before(protectAtGuestNs));
  const twin = new ProtectedTwin(ahead, (machine, observe) => guest.protect(machine, observe));
  await ahead.run({ untilNs: protectAtGuestNs - ahead.machine.guestNs });
  await twin.startHere();
  await ahead.run({ untilNs: ahead.machine.clock.now() + injectAtGuestNs - ahead.machine.guestNs });
  await campaign.injectInto(drawn, ahead);

  const lone = guest.start();
  const { machine } = lone;
  const travel = machine.timeTravel();
  await travel.runToTime(injectAtGuestNs);
  let last = machine.snapshot();
  const lasting = await campaign.injectInto(drawn, {
    ...lone,
    // A fault may wait for a moment that suits it.
    async run({ untilNs }) {
      const untilGuestNs = machine.guestNs + untilNs - machine.clock.now();
      if (!machine.equals(last)) travel.changed();
      await travel.runToTime(untilGuestNs);
      last = machine.snapshot(last);
    },
  });
  if (lasting !== undefined) {
    await twin.stop();
    throw refused(number, 'has a fault that lasts, which is no part of the state of the guest');
  }
  travel.changed();
  travel.watchBy(twin, 'begun');
  const what = `experiment ${number}: ${recorded.what}: ${recorded.outcome}`;
  return {
    travel,
    what: `${what}, right after the injection`,
    incident: `${what}, injected at instruction ${travel.now.instructions}`,
    async close() {
      await twin.stop();
      for (const each of [lone, ahead]) await each.close();
    },
  };
}

function refused(number: number, why: string): RmkError {
  return new RmkError(
    'RMK_ERR_INPUT',
    `experiment ${number} ${why}. It cannot be debugged: use rmk inject replay.`,
  );
}
