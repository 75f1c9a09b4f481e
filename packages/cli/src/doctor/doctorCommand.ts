import { Command } from 'commander';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { doctorJson, doctorText } from './doctorReport.js';
import { machineReport } from './machineReport.js';
import { qemuReport } from './qemuReport.js';
import { startedDomains } from './startedDomains.js';

/** The oldest Node that RMK runs on: that of `engines` in its package.json. */
const OLDEST_NODE = { major: 20, minor: 19 };

/** `rmk doctor`: what this machine has, what is missing and what for, and how the domains of a config start. */
export function doctorCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('doctor')
    .description('show what this machine can do, and in which order the plugins of a config start')
    .argument('[config]', 'in TypeScript, JavaScript or JSON')
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .action(async (config: string | undefined, { json }: { readonly json?: true }) => {
      const domains = config === undefined ? [] : await startedDomains(config);
      const version = process.versions.node;
      const report = {
        node: { version, supported: isSupported(version) },
        machine: await machineReport(),
        qemu: await qemuReport(),
        domains,
      };
      terminal.out(json === true ? doctorJson(report) : doctorText(report));
      const works = report.node.supported && domains.every(({ problem }) => problem === undefined);
      done(works ? ExitCode.DONE : ExitCode.FAILED);
    });
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor);
}
