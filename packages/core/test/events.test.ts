import { CORE_EVENTS, type EventName } from '@rmk/core';
import { describe, expect, expectTypeOf, it } from 'vitest';

describe('the events of core', () => {
  it('are the same at run time as in the types', () => {
    expectTypeOf<(typeof CORE_EVENTS)[number]>().toEqualTypeOf<EventName>();
    expect(new Set(CORE_EVENTS).size).toBe(CORE_EVENTS.length);
  });

  it('are named by EVT_ and one run of capitals', () => {
    for (const name of CORE_EVENTS) expect(name).toMatch(/^EVT_[A-Z]+$/);
  });
});
