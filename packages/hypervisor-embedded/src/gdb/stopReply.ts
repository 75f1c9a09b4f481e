import type { WatchKind } from '../debug/stopPoints.js';
import type { Stopped } from '../debug/timeTravel.js';

const SIGINT = '02';
const SIGTRAP = '05';
const SIGABRT = '06';

const WATCH_NAMES: Readonly<Record<WatchKind, string>> = { write: 'watch', read: 'rwatch', access: 'awatch' };

/** Reports to gdb why the guest stopped. */
export function stopReply(stopped: Stopped): string {
  switch (stopped.why) {
    case 'interrupted':
      return reply(SIGINT);
    case 'watchpoint': {
      const { kind, address } = stopped.watchpoint;
      return reply(SIGTRAP, `${WATCH_NAMES[kind]}:${address.toString(16)};`);
    }
    case 'detection':
      return reply(SIGABRT);
    case 'begin':
      return reply(SIGTRAP, 'replaylog:begin;');
    case 'end':
      // Not as an exit: there would be no going back from it.
      return reply(SIGTRAP, 'replaylog:end;');
    case 'step':
    case 'breakpoint':
      break;
  }
  return reply(SIGTRAP);
}

/** More about it, for people. */
export function stopText(stopped: Stopped): string | undefined {
  if (stopped.why === 'detection') {
    const { what, instructions } = stopped.detection;
    return `RMK: ${what} (instruction ${instructions}). Nothing recovers the guest: go back from here.\n`;
  }
  if (stopped.why !== 'end') return undefined;
  return stopped.exitCode === undefined
    ? 'RMK: the guest waits for nothing that could come.\n'
    : `RMK: the guest switched itself off with code ${stopped.exitCode}.\n`;
}

function reply(signal: string, reason = ''): string {
  return `T${signal}${reason}thread:1;`;
}
