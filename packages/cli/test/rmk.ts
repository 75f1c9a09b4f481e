import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { main, type ExitCode, type Terminal } from '../src/index.js';

export interface Said {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Runs `rmk` in this process, without a terminal, and gives what it said. */
export async function rmk(args: readonly string[], how: Pick<Terminal, 'columns'> = {}): Promise<Said> {
  const said = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    ...how,
  });
  return { code, ...said };
}

/** A folder with these files, which goes with the test. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'rmk-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return folder;
}

/** A config file of this name and content, alone or beside others. */
export function configIn(
  name: string,
  content: string | object,
  beside: Readonly<Record<string, string | Uint8Array>> = {},
): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return join(folderWith({ [name]: text, ...beside }), name);
}

/** A plugin that lets the guest jump to nowhere at a moment of domain time, as source of a config in TypeScript. */
export function wildJumpAt(moment: string): string {
  return `
import { CLOCK, definePlugin, nanoseconds, P_VCPU, type Clock, type VcpuPin } from '@rmk/core';
import { inject, injectable } from 'tsyringe';

@injectable()
class WildJump {
  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    this.clock.after(nanoseconds('${moment}'), () => this.vcpu.writeRegister('pc', 0n));
  }
}

const wildJump = definePlugin({
  name: 'rmk-plugin-wild-jump',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VCPU],
  modules: [WildJump],
});
`;
}
