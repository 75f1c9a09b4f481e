import { onTestFinished } from 'vitest';

interface AnyRig {
  readonly machine: { readonly name: string };
  readonly isStopped: boolean;
  stop(): Promise<void>;
}

const left: AnyRig[] = [];

/** Within a test of vitest the rig stops when the test ends. Anywhere else its owner must stop it. */
export function stopAfterTest(rig: AnyRig): void {
  try {
    onTestFinished(() => rig.stop());
  } catch {
    if (left.length === 0) process.once('exit', complain);
    left.push(rig);
  }
}

function complain(): void {
  const names = left.filter(({ isStopped }) => !isStopped).map(({ machine }) => machine.name);
  if (names.length === 0) return;
  process.stderr.write(
    `The rig of ${names.join(', ')} was not stopped, so its leaks and faults went unnoticed. ` +
      'End the test with `await rig.stop()`, or make the rig with `await using`.\n',
  );
  process.exitCode = 1;
}
