import type { Facts, VirtualMachine } from '@rmk/core';

/** The next fact of that kind that is as wanted. */
export function next<F extends keyof Facts>(
  machine: VirtualMachine,
  fact: F,
  wanted: (what: Facts[F]) => boolean = () => true,
): Promise<Facts[F]> {
  return new Promise((resolve) => {
    const observer = machine.observe(fact, (what) => {
      if (!wanted(what)) return;
      observer[Symbol.dispose]();
      resolve(what);
    });
  });
}

/** That this text comes from the console, from now on. */
export async function said(machine: VirtualMachine, text: string): Promise<void> {
  const decoder = new TextDecoder();
  let all = '';
  await next(machine, 'output', ({ data }) => (all += decoder.decode(data)).includes(text));
}

/** Asks the guest of one sector something, and waits for its answer. */
export async function answers(machine: VirtualMachine, letter: string): Promise<void> {
  const answer = said(machine, `[${letter}]`);
  await machine.input('serial', new TextEncoder().encode(letter));
  await answer;
}
