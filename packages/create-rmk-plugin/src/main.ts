import { relative } from 'node:path';
import { isatty } from 'node:tty';
import { Command, CommanderError, Option } from 'commander';
import pc from 'picocolors';
import { createPlugin, version, type PluginOrder, type WrittenPlugin } from './createPlugin.js';
import { KIND_NAMES, withArticle, type Kind } from './kinds.js';
import { askForKind, askForName, type Conversation } from './questions.js';
import { UsageError } from './usageError.js';

export const ExitCode = { DONE: 0, FAILED: 1, USAGE: 2 } as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Where the command reads and writes, so that it can be run without a terminal. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Present where somebody is there to answer. */
  readonly conversation?: Conversation;
}

interface Flags {
  readonly kind?: Kind;
  readonly directory?: string;
  readonly yes?: true;
}

const EXAMPLE = 'npm create rmk-plugin room-temperature -- --kind detector';

/** `npm create rmk-plugin`: gives the exit code. A user's mistake gives a message, never a stack trace. */
export async function main(
  args: readonly string[],
  terminal: Terminal = processTerminal(),
  /** Gets what was written, before that is reported. */
  written: (plugin: WrittenPlugin) => void = () => {},
): Promise<ExitCode> {
  let code: ExitCode = ExitCode.DONE;
  const program = new Command('create-rmk-plugin')
    .description('Writes an RMK plugin: manifest, typed event, options, README and a test that passes')
    .argument('[name]', 'what the plugin is called: room-temperature becomes rmk-plugin-room-temperature')
    .addOption(new Option('-k, --kind <kind>', 'what it is').choices(KIND_NAMES))
    .option('-d, --directory <folder>', 'where to write it (default: a folder of its name)')
    .option('-y, --yes', 'ask nothing')
    .addHelpText('after', `\nFor example: ${EXAMPLE}`)
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .action(async (name: string | undefined, flags: Flags) => {
      const order = await orderOf(name, flags, terminal);
      if (order === undefined) {
        terminal.err('Nothing was written.\n');
        code = ExitCode.FAILED;
      } else {
        const plugin = createPlugin(order);
        written(plugin);
        terminal.out(report(order.kind, plugin));
      }
    });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return failure(error, terminal);
  }
}

/** What to write: from the arguments, and from whoever is there to be asked. Undefined where that one gave up. */
async function orderOf(
  name: string | undefined,
  { kind, directory, yes }: Flags,
  { conversation }: Terminal,
): Promise<PluginOrder | undefined> {
  const where = directory === undefined ? {} : { directory };
  if (name !== undefined && kind !== undefined) return { name, kind, ...where };
  if (conversation === undefined || yes) throw missing(name, kind, yes);
  const itsName = name ?? (await askForName(conversation));
  if (itsName === undefined) return undefined;
  const itsKind = kind ?? (await askForKind(conversation));
  return itsKind === undefined ? undefined : { name: itsName, kind: itsKind, ...where };
}

function missing(name: string | undefined, kind: Kind | undefined, yes: true | undefined): UsageError {
  const what = [
    ...(name === undefined ? ['the name'] : []),
    ...(kind === undefined ? [`--kind (${KIND_NAMES.join(', ')})`] : []),
  ];
  const why = yes ? 'with --yes nothing is asked' : 'this is no terminal, so nothing can be asked';
  return new UsageError(`missing: ${what.join(' and ')}; ${why}. For example: ${EXAMPLE}`);
}

function report(kind: Kind, { packageName, directory, files }: WrittenPlugin): string {
  const { bold, cyan } = pc.createColors(isatty(process.stdout.fd) && pc.isColorSupported);
  const folder = relative('.', directory) || '.';
  const next = [
    ...(folder === '.' ? [] : [`cd ${quoted(folder)}`]),
    'npm install',
    'npm run build',
    'npm test',
  ];
  return (
    `${bold(packageName)} is written, ${files.length} files: what ${withArticle(kind)} needs, and a test that shows it at work.\n\n` +
    next.map((command) => `  ${cyan(command)}\n`).join('')
  );
}

/** For a shell, should the path have a blank or the like in it. */
function quoted(path: string): string {
  return /^[\w@./\\:-]+$/.test(path) ? path : JSON.stringify(path);
}

function failure(error: unknown, { err }: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.DONE : ExitCode.USAGE;
  if (error instanceof UsageError) {
    err(`${error.message}\n`);
    return ExitCode.USAGE;
  }
  if (!isSystemError(error)) throw error;
  err(`the plugin could not be written: ${error.message}; remove what there may be of it, and try again\n`);
  return ExitCode.FAILED;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    ...(stdin.isTTY && stdout.isTTY ? { conversation: { input: stdin, output: stdout } } : {}),
  };
}
