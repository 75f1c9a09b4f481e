import { channel } from 'node:diagnostics_channel';
import { diagnose, DIAGNOSTICS, onDiagnostic, type Diagnostic } from '@rmk/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const failure = new Error('no log file');
const emitWarning = vi.spyOn(process, 'emitWarning');

beforeEach(() => {
  emitWarning.mockReset();
});

afterEach(() => {
  vi.clearAllMocks();
});

describe('A diagnostic', () => {
  it('becomes a warning of the process if nobody subscribes', () => {
    diagnose('kernel', 'a handler failed', failure);
    expect(emitWarning).toHaveBeenCalledExactlyOnceWith('a handler failed: no log file', {
      type: 'RmkWarning',
    });
  });

  it('goes to the subscribers instead if there are any', () => {
    const seen: Diagnostic[] = [];
    using _ = onDiagnostic((diagnostic) => void seen.push(diagnostic));
    diagnose('kernel', 'a handler failed', failure);
    diagnose('hypervisor', 'a release failed', 'text');
    expect(seen).toEqual([
      { concern: 'kernel', message: 'a handler failed: no log file', error: failure },
      { concern: 'hypervisor', message: 'a release failed: text', error: 'text' },
    ]);
    expect(emitWarning).not.toHaveBeenCalled();
  });

  it('reaches nobody who has unsubscribed', () => {
    const seen: Diagnostic[] = [];
    onDiagnostic((diagnostic) => void seen.push(diagnostic))[Symbol.dispose]();
    diagnose('hypervisor', 'a release failed', failure);
    expect(seen).toEqual([]);
    expect(emitWarning).toHaveBeenCalledOnce();
  });

  it('is published on a channel of Node, so that tools need not import RMK', () => {
    const seen: unknown[] = [];
    const receive = (message: unknown): void => void seen.push(message);
    const kernel = channel(DIAGNOSTICS.kernel);
    kernel.subscribe(receive);
    diagnose('kernel', 'a handler failed', failure);
    kernel.unsubscribe(receive);
    expect(seen).toHaveLength(1);
    expect(kernel.name).toBe('rmk:kernel');
  });
});
