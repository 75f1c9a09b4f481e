import { busCommand } from './busCommand.js';

const output = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
};
await busCommand(output, (exitCode) => void (process.exitCode = exitCode)).parseAsync();
