import { checkpoint } from '@rmk/checkpoint';
import { pathText, RmkError, type Duration, type Plugin, type Problem } from '@rmk/core';
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
  /** T_ck. Default: `'50ms'`. */
  readonly interval?: Duration;
  /** Checkpoints kept. Default: derived from the detectors' bounds. */
  readonly retain?: number;
  /** COWB or COWP with default options, or any plugin that contributes an algorithm. Default: `'cowp'`. */
  readonly algorithm?: keyof typeof ALGORITHMS | Plugin;
  /** The options of the hang detector, or `false` for none. */
  readonly hang?: Parameters<typeof hangDetector>[0] | false;
  readonly signals?: Parameters<typeof pinVmsignal>[0];
  readonly recovery?: Parameters<typeof recovery>[0];
}

const OPTIONS = [
  'interval',
  'retain',
  'algorithm',
  'hang',
  'signals',
  'recovery',
] as const satisfies readonly (keyof MicrocheckpointOptions)[];

/**
 * The deployment of figure 1 (§2): pins, agent, checkpoint algorithm, detectors of crashes and hangs, recovery.
 * `RMK_ERR_INPUT` for an unknown option or algorithm; what the options are for checks the rest when a domain is made.
 */
export function microcheckpoint(options: MicrocheckpointOptions = {}): readonly Plugin[] {
  refuseUnknown(options);
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

function refuseUnknown(options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw refusal([{ path: '', message: `expected options, given ${String(options)}` }]);
  const problems = Object.keys(options)
    .filter((key) => !OPTIONS.some((option) => option === key))
    .map((key): Problem => ({
      path: pathText([key]),
      message: `unknown option, choose among ${OPTIONS.join(', ')}`,
    }));
  const algorithm: unknown = 'algorithm' in options ? options.algorithm : undefined;
  const isPlugin = typeof algorithm === 'object' && algorithm !== null;
  const isKnown =
    algorithm === undefined || (typeof algorithm === 'string' && Object.hasOwn(ALGORITHMS, algorithm));
  if (!isPlugin && !isKnown) {
    const kind = typeof algorithm === 'function' ? 'a function (call it)' : typeof algorithm;
    const given = typeof algorithm === 'string' ? algorithm : kind;
    problems.push({
      path: 'algorithm',
      message: `expected ${Object.keys(ALGORITHMS).join(', ')} or a plugin that contributes one, given ${given}`,
    });
  }
  if (problems.length > 0) throw refusal(problems);
}

function refusal(problems: readonly Problem[]): RmkError {
  return new RmkError('RMK_ERR_INPUT', 'microcheckpoint: invalid options', { problems });
}
