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

const ALGORITHMS = { cowb, cowp };

export interface MicrocheckpointOptions {
  /** T_ck; `'50ms'` when absent. */
  readonly interval?: Duration;
  /** Checkpoints kept; derived from the detectors' bounds when absent. */
  readonly retain?: number;
  /** COWB or COWP as they come, or any plugin that contributes an algorithm; `'cowp'` when absent. */
  readonly algorithm?: keyof typeof ALGORITHMS | Plugin;
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
    typeof algorithm === 'string' ? ALGORITHMS[algorithm]() : algorithm,
    ...(hang === false ? [] : [hangDetector(hang)]),
    recovery(options.recovery),
  ];
}
