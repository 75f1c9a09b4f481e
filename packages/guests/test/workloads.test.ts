import { readWorkload, type WorkloadName } from '@rmk/guests';
import { describe, expect, it } from 'vitest';
import { LONG } from '../../../test/long.js';
import { describeDigests } from './digests.js';

const KNOWN: Readonly<Record<WorkloadName, string>> = {
  packer: '14b5eea2',
  bytecode: 'd6553350',
  frontend: 'cda3c46d',
  flow: 'd1f115b9',
  kalah: '8401d6b1',
  alignment: '04e731fe',
  events: 'b08ffa25',
  paths: '42c9dd94',
};

describeDigests({
  kind: 'workload',
  elfOf: (name) => readWorkload(name as WorkloadName),
  rounds: 1,
  engines: LONG ? ['interpreter', 'translator'] : ['interpreter'],
  known: KNOWN,
});

describe('readWorkload', () => {
  it('names the workloads there are', () => {
    expect(() => readWorkload('gcc' as WorkloadName)).toThrow(
      'RMK_ERR_UNKNOWN: unknown workload "gcc". The workloads of RMK are packer, bytecode, frontend',
    );
  });
});
