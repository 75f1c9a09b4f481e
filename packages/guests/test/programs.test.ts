import { programRounds, readProgram, type ProgramName } from '@rmk/guests';
import { describe, expect, it } from 'vitest';
import { describeDigests } from './digests.js';

const KNOWN: Readonly<Record<ProgramName, string>> = {
  bits: '3df49ec2',
  copies: '218878ea',
  crypto: 'f25608a9',
  hashing: '456d716f',
  lists: '65a3a39b',
  matrix: '678b4b8b',
  parsing: 'bf8a01a5',
  primes: '13bed224',
  recursion: '68166d6c',
  reedsolomon: '6be7a8b2',
  sorting: '4fbc7531',
  states: '44f2525f',
};

describeDigests({
  kind: 'program',
  elfOf: (name) => readProgram(name as ProgramName),
  rounds: 3,
  engines: ['interpreter', 'translator'],
  known: KNOWN,
});

describe('the programs for measurements', () => {
  it('take the rounds from a boot file of one word', () => {
    expect(programRounds(7).data).toEqual(Uint8Array.of(0x52, 0x4d, 0x4b, 0x46, 4, 0, 0, 0, 7, 0, 0, 0));
  });

  it('refuses names and numbers that there are not', () => {
    expect(() => readProgram('dhrystone' as ProgramName)).toThrow('RMK_ERR_UNKNOWN');
    expect(() => programRounds(0.5)).toThrow('RMK_ERR_INPUT');
  });
});
