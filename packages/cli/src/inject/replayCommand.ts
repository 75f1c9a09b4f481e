import { isDeepStrictEqual } from 'node:util';
import type { ExperimentRecord, Trace } from '@rmk/campaign';
import { CORE_EVENTS } from '@rmk/core';
import { Command } from 'commander';
import { wholeOption } from '../model/optionValues.js';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { journalledExperiment } from './journalledExperiment.js';

/** `rmk inject replay`: runs one experiment of a journal again, and shows every event. */
export function replayCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('replay')
    .description('run one experiment of a journal again, with every event of its domain')
    .argument('<journal>', 'of rmk inject')
    .argument('<number>', 'of the experiment', wholeOption)
    .action(async (path: string, number: number) => {
      done(await replay(path, number, terminal));
    });
}

async function replay(path: string, number: number, terminal: Terminal): Promise<ExitCode> {
  const { campaign, recorded } = await journalledExperiment(path, number);
  const { injectAtGuestNs, protectAtGuestNs } = await campaign.moment(number);
  const startNs = protectAtGuestNs - campaign.golden.before(protectAtGuestNs).guestNs;
  const record = await campaign.run(number, traceTo(terminal, startNs, injectAtGuestNs - protectAtGuestNs));
  const { host: _, ...result } = record;
  terminal.out(`${JSON.stringify(result, undefined, 2)}\n`);
  if (isDeepStrictEqual(comparable(record), comparable(recorded))) return ExitCode.DONE;
  terminal.err(`the record differs from the one in ${path}: a fault of RMK, or of another version of it.\n`);
  return ExitCode.FAILED;
}

/** A replay runs in full what a campaign could prove without, and so can only know more. */
function comparable({ number, fault, place, injected, outcome, end, twin }: ExperimentRecord): unknown {
  return JSON.parse(JSON.stringify({ number, fault, place, injected, outcome, end, twin }));
}

/** Times are relative to the injection. */
function traceTo(terminal: Terminal, startNs: number, injectAfterNs: number): Trace {
  let isOver = false;
  return {
    observe(bus) {
      for (const name of CORE_EVENTS) {
        bus.on(name, (event) => {
          if (isOver) return;
          const { atNs, source, sequence: _, ...rest } = event;
          const ms = (atNs - startNs - injectAfterNs) / 1e6;
          terminal.out(`${ms.toFixed(5).padStart(12)} ms  ${name} ${source} ${shortened(rest)}\n`);
        });
      }
    },
    over() {
      isOver = true;
    },
  };
}

const LONGEST = 200;

function shortened(payload: object): string {
  const text = JSON.stringify(payload, (key, value: unknown) => {
    if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
    return key.endsWith('HostNs') ? undefined : value;
  });
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
