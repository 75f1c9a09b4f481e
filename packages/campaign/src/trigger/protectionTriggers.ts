import { CORE_EVENTS, type EventName } from '@rmk/core';
import { suggestion } from '@rmk/kernel';
import { z } from 'zod';
import { defineTrigger } from './triggerKind.js';

export const atEvent = defineTrigger({
  name: 'event',
  summary: 'when an event of the domain is published, the first or a later one after the drawn moment',
  options: z.strictObject({ event: z.string(), occurrence: z.int().min(1).default(1) }),
  check({ event }) {
    if (!event.startsWith('EVT_'))
      return `unknown event ${JSON.stringify(event)}, ${suggestion(event, CORE_EVENTS)}`;
    return undefined;
  },
  arm({ domain }, due, { event, occurrence }) {
    let seen = 0;
    // An event that no plugin of the domain declares is refused here.
    domain.bus.on(event as EventName, async () => {
      seen += 1;
      if (seen === occurrence) await due();
    });
  },
});

export const inCheckpoint = defineTrigger({
  name: 'checkpoint',
  summary:
    'in the middle of the next checkpoint: the driver has taken it, and the agent does not have it yet',
  options: z.strictObject({}),
  arm: (protection, due) => protection.onCheckpoint(due),
  holdsAgent: true,
});

export const inRollback = defineTrigger({
  name: 'rollback',
  summary:
    'in the middle of the rollback that an exception at the drawn moment leads to, before anything is restored',
  options: z.strictObject({}),
  arm: (protection, due) => protection.onRollback(due),
  needsRecovery: true,
  holdsAgent: true,
});
