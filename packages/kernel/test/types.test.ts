import { P_VCPU, type Domain, type RmkEvent, type Topic, type VcpuPin } from '@rmk/core';
import { createDomain, type DomainOptions } from '@rmk/kernel';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { domainOf } from './testDomain.js';

declare module '@rmk/core' {
  interface RmkEvents {
    EVT_ROOMTOOHOT: { readonly atNs: number; readonly celsius: number };
  }
}

describe('the types', () => {
  it('of a domain and its bus follow the event and the token', async () => {
    const { domain } = await domainOf([], { events: ['EVT_ROOMTOOHOT'] });
    expectTypeOf(createDomain).toEqualTypeOf<(options: DomainOptions) => Promise<Domain>>();
    expectTypeOf(() => domain.get(P_VCPU)).returns.toEqualTypeOf<VcpuPin>();
    expectTypeOf(domain.bus.topic('EVT_VMEXITED')).toEqualTypeOf<Topic<'EVT_VMEXITED'>>();
    domain.bus.on('EVT_VMEXITED', (event) => {
      expectTypeOf(event).toEqualTypeOf<RmkEvent<'EVT_VMEXITED'>>();
      expectTypeOf(event.code).toBeNumber();
      expectTypeOf(event.source).toBeString();
    });
    // @ts-expect-error there is no such event
    expect(() => domain.bus.topic('EVT_VMEXPLODED')).toThrow('RMK_ERR_EVENT');
    // @ts-expect-error `code` is missing
    expect(() => domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0 })).toThrow('invalid code');
  });

  it('take in the events of third parties', async () => {
    const { domain } = await domainOf([], { events: ['EVT_ROOMTOOHOT'] });
    domain.bus.topic('EVT_ROOMTOOHOT').publish({ atNs: 0, celsius: 41 });
    // @ts-expect-error `celsius` is a number
    domain.bus.topic('EVT_ROOMTOOHOT').publish({ atNs: 0, celsius: 'hot' });
    domain.bus.on('EVT_ROOMTOOHOT', ({ celsius }) => {
      expectTypeOf(celsius).toBeNumber();
    });
  });
});
