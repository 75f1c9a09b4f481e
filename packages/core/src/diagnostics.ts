import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { messageOf } from './rmkError.js';

/** Channels of `node:diagnostics_channel`, one for each part of RMK that has something to report past the bus. */
export const DIAGNOSTICS = {
  kernel: 'rmk:kernel',
  hypervisor: 'rmk:hypervisor',
} as const;

/**
 * A failure in RMK, or in the program around it, that no event can report: it concerns no domain, or reporting it on
 * the bus would fail in the same way again.
 */
export interface Diagnostic {
  readonly concern: keyof typeof DIAGNOSTICS;
  /** One sentence, with what was thrown. */
  readonly message: string;
  /** What was thrown. */
  readonly error: unknown;
}

/**
 * Publishes a diagnostic. If nobody subscribes to its channel, it becomes a warning of the process, so none is lost.
 */
export function diagnose(concern: Diagnostic['concern'], what: string, error: unknown): void {
  const diagnostic: Diagnostic = { concern, message: `${what}: ${messageOf(error)}`, error };
  const to = channel(DIAGNOSTICS[concern]);
  if (to.hasSubscribers) to.publish(diagnostic);
  else process.emitWarning(diagnostic.message, { type: 'RmkWarning' });
}

/** Subscribes to the diagnostics of all concerns, of the whole process. */
export function onDiagnostic(handle: (diagnostic: Diagnostic) => void): Disposable {
  const names = Object.values(DIAGNOSTICS);
  const receive = (message: unknown): void => handle(message as Diagnostic);
  for (const name of names) subscribe(name, receive);
  return {
    [Symbol.dispose]: () => {
      for (const name of names) unsubscribe(name, receive);
    },
  };
}
