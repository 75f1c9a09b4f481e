import type { Nanoseconds } from '@rmk/core';
import { gapsFor, rateAtMost, roundedUp } from './evidence.js';
import type { Gaps } from './gaps.js';
import type { GuestProfile } from './guestProfile.js';

/** A rate above this is no ground for a proposal: at 95 % it takes 29 gaps. */
const HIGHEST_PROPOSED_RATE = 0.1;

export interface ProfileSettings {
  /** Threshold to longest gap. */
  readonly margin: number;
  /** False positives wanted, as a share of the gaps. */
  readonly rate: number;
  readonly confidence: number;
}

/** What the gaps between signs of one kind support. */
export interface GapReport {
  readonly gaps: number;
  readonly longest: number;
  /** Undefined where no gap has ended. */
  readonly threshold?: number;
  /** Share of the gaps that exceeds the threshold at most, at the confidence asked for. */
  readonly falsePositiveRate: number;
  /** Domain time to profile for the wanted rate. Undefined where no gap has ended. */
  readonly profileForNs?: Nanoseconds;
}

export interface DetectedError {
  readonly atNs: Nanoseconds;
  readonly kind: string;
  readonly detector: string;
  readonly cause: string;
}

export interface GuestReport {
  readonly guest: string;
  readonly domainNs: Nanoseconds;
  readonly idleNs: Nanoseconds;
  readonly ended: boolean;
  /** Busy time in nanoseconds, between two signs of each kind. */
  readonly signs: Readonly<Record<string, GapReport>>;
  /** Instructions between two context switches. Undefined where the hypervisor counts none. */
  readonly instructions?: GapReport;
  /** Domain time in nanoseconds, between two outputs of each device. */
  readonly output: Readonly<Record<string, GapReport>>;
  readonly proposal: Proposal;
  /** Errors that the guest's own detectors reported, and nobody undid. */
  readonly detected: readonly DetectedError[];
}

export interface Proposal {
  readonly hang?: {
    readonly threshold: string;
    readonly signs: readonly string[];
    readonly maxInstructions?: number;
    readonly falsePositiveRate: number;
  };
  readonly heartbeat: readonly {
    readonly device: string;
    readonly silence: string;
    readonly falsePositiveRate: number;
  }[];
}

export function reportOf(
  guest: string,
  profile: GuestProfile,
  detected: readonly DetectedError[],
  settings: ProfileSettings,
): GuestReport {
  const { domainNs, idleNs, ended, rule } = profile;
  const report = (gaps: Gaps): GapReport => gapReport(gaps, domainNs, settings);
  const signs = Object.fromEntries(
    [...profile.signs].toSorted(byName).map(([sign, { gaps }]) => [sign, report(gaps)]),
  );
  const output = Object.fromEntries(
    [...profile.devices].toSorted(byName).map(([device, { gaps }]) => [device, report(gaps)]),
  );
  const instructions = profile.instructions.gaps.count === 0 ? undefined : report(profile.instructions.gaps);
  return {
    guest,
    domainNs,
    idleNs,
    ended,
    signs,
    ...(instructions === undefined ? {} : { instructions }),
    output,
    proposal: proposalOf({ signs: rule.signs, gaps: report(rule.gaps) }, instructions, output),
    detected,
  };
}

function gapReport(
  gaps: Gaps,
  domainNs: Nanoseconds,
  { margin, rate, confidence }: ProfileSettings,
): GapReport {
  const { count, longest } = gaps;
  const falsePositiveRate = rateAtMost(count, confidence);
  if (count === 0) return { gaps: count, longest, falsePositiveRate };
  return {
    gaps: count,
    longest,
    threshold: roundedUp(margin * longest),
    falsePositiveRate,
    profileForNs: Math.ceil((domainNs / count) * gapsFor(rate, confidence)),
  };
}

function proposalOf(
  rule: { readonly signs: readonly string[]; readonly gaps: GapReport },
  instructions: GapReport | undefined,
  output: GuestReport['output'],
): Proposal {
  const { threshold, falsePositiveRate } = rule.gaps;
  return {
    ...(threshold === undefined || !isSupported(rule.gaps)
      ? {}
      : {
          hang: {
            threshold: milliseconds(threshold),
            signs: rule.signs,
            ...(instructions?.threshold === undefined || !isSupported(instructions)
              ? {}
              : { maxInstructions: instructions.threshold }),
            falsePositiveRate,
          },
        }),
    heartbeat: Object.entries(output).flatMap(([device, gaps]) =>
      gaps.threshold === undefined || !isSupported(gaps)
        ? []
        : [
            {
              device,
              silence: milliseconds(gaps.threshold),
              falsePositiveRate: gaps.falsePositiveRate,
            },
          ],
    ),
  };
}

function isSupported({ falsePositiveRate }: GapReport): boolean {
  return falsePositiveRate <= HIGHEST_PROPOSED_RATE;
}

function milliseconds(ns: Nanoseconds): string {
  return ns >= 1e6 ? `${ns / 1e6}ms` : `${ns}ns`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
