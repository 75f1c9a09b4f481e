import { RMK_VERSION } from '@rmk/core';
import { colour } from '../colour.js';
import { durationText } from '../durationText.js';
import { formatTable, percent } from '../model/table.js';
import type { GapReport, GuestReport, ProfileSettings } from './profileReport.js';

export function profileJson(guests: readonly GuestReport[], settings: ProfileSettings): string {
  return `${JSON.stringify({ rmk: RMK_VERSION, ...settings, guests }, undefined, 2)}\n`;
}

export function profileText(guests: readonly GuestReport[], settings: ProfileSettings): string {
  return guests.map((guest) => guestText(guest, settings)).join('\n');
}

function guestText(report: GuestReport, { confidence, rate, margin }: ProfileSettings): string {
  const { guest, domainNs, idleNs, ended, signs, instructions, output } = report;
  const idle = domainNs === 0 ? 0 : idleNs / domainNs;
  const state = `${durationText(domainNs)} of domain time, ${Number((100 * idle).toPrecision(2))} % of it idle`;
  const rows = [
    ...Object.entries(signs).map(([sign, gaps]) => row(sign, gaps, durationText)),
    ...(instructions === undefined
      ? []
      : [row('instructions between context switches', instructions, countText)]),
    ...Object.entries(output).map(([device, gaps]) => row(`output on ${device}`, gaps, durationText)),
  ];
  const heading = `${colour.bold(guest)}: ${state}${ended ? '; it ended by itself' : ''}`;
  if (rows.length === 0) return `${heading}\nIt gave no sign of progress and put nothing out.\n`;
  return [
    heading,
    '',
    formatTable({
      columns: ['sign', 'gaps', 'longest', 'threshold', 'exceeded by', `for ${percent(rate, 2)} profile`],
      rows,
    }),
    '',
    `threshold: ${margin} times the longest gap. exceeded by: at most this share of the gaps of a healthy guest, at ${percent(confidence, 2)} confidence.`,
    ...proposalLines(report),
    ...detectedLines(report),
    '',
  ].join('\n');
}

function row(name: string, gaps: GapReport, text: (value: number) => string): readonly string[] {
  const { threshold, profileForNs } = gaps;
  return [
    name,
    String(gaps.gaps),
    text(gaps.longest),
    threshold === undefined ? '-' : text(threshold),
    percent(gaps.falsePositiveRate, 2),
    profileForNs === undefined ? '-' : durationText(profileForNs),
  ];
}

function proposalLines({ proposal: { hang, heartbeat } }: GuestReport): readonly string[] {
  const lines: string[] = [];
  if (hang !== undefined) {
    const { threshold, signs, maxInstructions } = hang;
    const options = [
      `threshold: '${threshold}'`,
      `signs: [${signs.map((sign) => `'${sign}'`).join(', ')}]`,
      ...(maxInstructions === undefined ? [] : [`maxInstructions: ${maxInstructions}`]),
    ];
    lines.push(`  hang: { ${options.join(', ')} }`);
  }
  for (const { device, silence } of heartbeat)
    lines.push(`  heartbeatDetector({ device: '${device}', silence: '${silence}' })`);
  return lines.length === 0 ? ['Too few signs for a proposal: profile for longer.'] : ['Proposed:', ...lines];
}

function detectedLines({ detected }: GuestReport): readonly string[] {
  return detected.map(({ atNs, kind, detector, cause }) => {
    const text = `${durationText(atNs)}: ${kind} detected by ${detector}: ${cause}`;
    return kind === 'hang'
      ? colour.yellow(`${text}. In a healthy guest that is a false positive of the present options.`)
      : colour.red(`${text}. The guest was not healthy: these figures are not those of a healthy run.`);
  });
}

function countText(count: number): string {
  return String(count);
}
