import { messageOf, type Bus, type EventName } from '@rmk/core';

/** Events that say that RMK itself failed, or lost the protection of a guest. */
const UNEXPECTED_EVENTS = [
  'EVT_PLUGINFAULT',
  'EVT_PLUGINQUARANTINED',
  'EVT_CHECKPOINTLOST',
  'EVT_PROTECTIONLOST',
  'EVT_RECOVERYFAILED',
  'EVT_VMRESTARTED',
  'EVT_VMGONE',
  'EVT_WARNING',
] as const satisfies readonly EventName[];

/** Calls `report` with a line for each unexpected event. */
export function observeUnexpected(bus: Bus, report: (line: string) => void): void {
  for (const name of UNEXPECTED_EVENTS) {
    bus.on(name, ({ atNs, source, ...about }) => {
      report(`${name} from ${source} at ${atNs / 1e6} ms${detailOf(about)}`);
    });
  }
}

function detailOf(about: object): string {
  if ('error' in about) return `: ${messageOf(about.error)}`;
  if ('reason' in about) return `: ${String(about.reason)}`;
  return 'message' in about ? `: ${String(about.message)}` : '';
}
