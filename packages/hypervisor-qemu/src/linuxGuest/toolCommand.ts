import { spawn } from 'node:child_process';
import { RmkError } from '@rmk/core';

export interface ToolOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
}

const SHOWN_LINES = 12;

/**
 * Runs a program with an argument array, never by a shell, and returns its output. Throws `RMK_ERR_INPUT` if it fails.
 */
export function runTool(
  command: string,
  args: readonly string[],
  { folder, environment, input }: ToolOptions = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Messages are read and shown, so they have to be in one language.
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, LC_ALL: 'C', ...environment } });
    const output: Buffer[] = [];
    const messages: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => output.push(data));
    child.stderr.on('data', (data: Buffer) => messages.push(data));
    child.stdin.on('error', () => {}); // A program that does not read its input to the end.
    child.stdin.end(input);
    child.once('error', (cause) =>
      reject(new RmkError('RMK_ERR_INPUT', `${command} could not be run: ${cause.message}`, { cause })),
    );
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(output));
      else
        reject(failure(`${command} ${args.join(' ')}`, code ?? signal, Buffer.concat(messages).toString()));
    });
  });
}

function failure(line: string, how: number | string | null, messages: string): RmkError {
  const last = messages.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n  ');
  return new RmkError('RMK_ERR_INPUT', `\`${line}\` failed (${how}):\n  ${last}`);
}
