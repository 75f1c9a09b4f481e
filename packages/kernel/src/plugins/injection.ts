import {
  BUS,
  CLOCK,
  DETECTIONS,
  INSTALLATION_STATE,
  OPTIONS,
  VIRTUAL_MACHINE,
  type Detections,
  type Token,
  type VirtualMachine,
} from '@rmk/core';
import { ScopedBus, type EventBus } from '../bus/bus.js';
import type { InstalledPlugin } from './installedPlugin.js';
import { ScopedClock } from '../scope/scopedClock.js';
import { scopedMachine } from '../scope/scopedMachine.js';
import { scopedProvision } from '../scope/scopedProvision.js';

/** What the kernel provides to the plugins of a domain. */
export interface KernelParts {
  readonly machine: VirtualMachine;
  readonly eventBus: EventBus;
  readonly detections: Detections;
  /** Called when a plugin has suspended the VM, and when one has resumed it. */
  readonly suspended: (isSuspended: boolean) => void;
}

/**
 * What the classes of a plugin can inject: what every plugin gets, and what its manifest requires or optionally uses.
 */
export function injectedInto(
  { checked, scope, providers, keptState }: InstalledPlugin,
  { machine, eventBus, detections, suspended }: KernelParts,
): ReadonlyMap<Token<unknown>, unknown> {
  const available = new Map<Token<unknown>, unknown>([
    [DETECTIONS, detections],
    [VIRTUAL_MACHINE, scopedMachine(machine, scope, suspended)],
    ...providers.flatMap((provider) =>
      Array.from(
        provider.provided,
        ([token, object]) => [token, scopedProvision(object, token, scope, provider.scope)] as const,
      ),
    ),
  ]);
  const { requires = [], optional = [] } = checked.definition;
  return new Map<Token<unknown>, unknown>([
    ...optional.map((token) => [token, available.get(token)] as const),
    ...requires
      .filter((token) => available.has(token))
      .map((token) => [token, available.get(token)] as const),
    [BUS, new ScopedBus(eventBus, scope)],
    [CLOCK, new ScopedClock(machine.clock, scope)],
    [OPTIONS, checked.options],
    [INSTALLATION_STATE, keptState],
  ]);
}
