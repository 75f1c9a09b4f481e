import { nanoseconds, RmkError, type Duration, type Nanoseconds } from '@rmk/core';
import type { MachineOptions } from '@rmk/hypervisor-embedded';

/** A client that sends its requests at fixed times, whether those before were answered or not. */
export interface ScriptedClient {
  /** Begins the identifiers of its requests. */
  readonly name: string;
  /** Guest time at which it wishes to send its first request. */
  readonly startAt: Duration;
  /** From one request to the next. */
  readonly every: Duration;
  /** Without identifier and without line feed. */
  readonly requests: readonly string[];
}

export interface ScriptedRequest {
  /** `<client>-<number>`, counted from 1. */
  readonly id: string;
  /** The identifier, a blank, the request; without line feed. */
  readonly line: string;
  /** Guest time at which its last byte has arrived. */
  readonly arrivedNs: Nanoseconds;
}

export interface ClientScript {
  /** In the order in which they arrive. */
  readonly requests: readonly ScriptedRequest[];
  /** For the machine: each byte at its guest time. */
  readonly input: NonNullable<MachineOptions['input']>;
}

/** Start bit, eight bits, stop bit. */
const BITS_PER_BYTE = 10;
const NS_PER_SECOND = 1e9;

/**
 * The requests of several clients on one serial line. A request waits until the line is free; of those that wait, the
 * one goes first that has waited longest. Keyed to guest time, the input is the same in every run: a rollback turns it
 * back with the guest. `RMK_ERR_INPUT` where two clients have one name.
 */
export function scriptClients(clients: readonly ScriptedClient[], baud = 115_200): ClientScript {
  const names = clients.map(({ name }) => name);
  const doubled = names.find((name, index) => names.indexOf(name) !== index);
  if (doubled !== undefined) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `two scripted clients are named ${doubled}: give each a name of its own`,
    );
  }
  const byteNs = Math.ceil((BITS_PER_BYTE * NS_PER_SECOND) / baud);
  const requests: ScriptedRequest[] = [];
  const input: { at: Duration; data: Uint8Array }[] = [];
  let freeAtNs = 0;
  for (const { id, text, dueNs } of wishes(clients)) {
    const line = `${id} ${text}`;
    freeAtNs = Math.max(freeAtNs, dueNs);
    for (const byte of new TextEncoder().encode(`${line}\n`)) {
      freeAtNs += byteNs;
      input.push({ at: `${freeAtNs}ns`, data: Uint8Array.of(byte) });
    }
    requests.push({ id, line, arrivedNs: freeAtNs });
  }
  return { requests, input };
}

function wishes(clients: readonly ScriptedClient[]) {
  return clients
    .flatMap(({ name, startAt, every, requests }) =>
      requests.map((text, index) => ({
        id: `${name}-${index + 1}`,
        text,
        dueNs: nanoseconds(startAt) + index * nanoseconds(every),
      })),
    )
    .toSorted((one, other) => one.dueNs - other.dueNs);
}
