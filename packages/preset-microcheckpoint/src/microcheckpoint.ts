import { checkpoint } from '@rmk/checkpoint';
import type { Duration, Plugin } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { hangDetector } from '@rmk/hang-detector';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { recovery } from '@rmk/recovery';

export interface MicrocheckpointOptions {
  /** T_ck; `'50ms'` when absent. */
  readonly interval?: Duration;
  /** Checkpoints kept; derived from the detectors' bounds when absent. */
  readonly retain?: number;
  /** `'cowp'` when absent. */
  readonly algorithm?: 'cowb' | 'cowp';
  /** The options of the hang detector, or `false` for none. */
  readonly hang?: Parameters<typeof hangDetector>[0] | false;
  readonly signals?: Parameters<typeof pinVmsignal>[0];
  readonly recovery?: Parameters<typeof recovery>[0];
}

/** The deployment of figure 1 (§2): pins, agent, checkpoint algorithm, detectors of crashes and hangs, recovery. */
export function microcheckpoint(options: MicrocheckpointOptions = {}): readonly Plugin[] {
  const { interval = '50ms', retain, algorithm = 'cowp', hang = {} } = options;
  return [
    pinVcpu(),
    pinPtable(),
    pinVmsignal(options.signals),
    pinVmschl(),
    pinVmio(),
    checkpoint({ interval, ...(retain === undefined ? {} : { retain }) }),
    algorithm === 'cowp' ? cowp() : cowb(),
    ...(hang === false ? [] : [hangDetector(hang)]),
    recovery(options.recovery),
  ];
}
