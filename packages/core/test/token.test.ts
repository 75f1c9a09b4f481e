import {
  membersOf,
  P_VCPU,
  P_VMIO,
  providerHint,
  token,
  tokenName,
  type Token,
  type VcpuPin,
} from '@rmk/core';
import { describe, expect, expectTypeOf, it } from 'vitest';

describe('a token', () => {
  it('is the same in a second copy of the package that declares it', () => {
    expect(token<string>('THERMOMETER')).toBe(token<string>('THERMOMETER'));
    expect(token<string>('THERMOMETER')).not.toBe(token<string>('BAROMETER'));
  });

  it('does not collide with the symbols of others', () => {
    expect(token<string>('THERMOMETER')).not.toBe(Symbol.for('THERMOMETER'));
  });

  it('carries its name', () => {
    expect(tokenName(token<string>('THERMOMETER'))).toBe('THERMOMETER');
    expect(tokenName(token<string>('rmk:odd'))).toBe('rmk:odd');
    expect(tokenName(P_VCPU)).toBe('P_VCPU');
  });

  it('may name the package that usually provides it', () => {
    const MADE = token<string>('test:PROVIDER', { provider: 'rmk-plugin-thermometer' });
    expect(providerHint(MADE)).toBe('Add one that does, such as rmk-plugin-thermometer.');
    expect(providerHint(P_VMIO)).toBe('Add one that does, such as @rmk/pin-vmio.');
    expect(providerHint(token<string>('test:NO_PROVIDER'))).toBe('Add one that does.');
  });

  it('that was not made by token has a name all the same', () => {
    expect(tokenName(Symbol.for('thermometer'))).toBe('thermometer');
    expect(tokenName(Symbol('thermometer'))).toBe('thermometer');
    expect(tokenName(Symbol())).toBe('an unnamed token');
  });

  it('carries the type of what it names', () => {
    expectTypeOf(P_VCPU).toEqualTypeOf<Token<VcpuPin>>();
    expectTypeOf<Token<string>>().not.toExtend<Token<number>>();
    expectTypeOf<Token<string>>().toExtend<Token<unknown>>();
  });

  it('may say which members an object behind it must have, and only those of its type', () => {
    const THERMOMETER = token<{ readonly celsius: number; calibrate(): void }>('test:MEMBERS', {
      members: ['celsius', 'calibrate'],
    });
    expect(membersOf(THERMOMETER)).toEqual(['celsius', 'calibrate']);
    expect(membersOf(P_VMIO)).toEqual(['input']);
    expect(membersOf(token<string>('test:NO_MEMBERS'))).toEqual([]);
    // @ts-expect-error `kelvin` is no member of the type
    token<{ readonly celsius: number }>('test:WRONG', { members: ['kelvin'] });
  });

  it('keeps its members where a second declaration says nothing of them', () => {
    token<{ readonly celsius: number }>('test:TWICE', { members: ['celsius'] });
    expect(membersOf(token<{ readonly celsius: number }>('test:TWICE'))).toEqual(['celsius']);
  });
});
