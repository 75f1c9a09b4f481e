import { GUESTS, readGuest } from '@rmk/guests';
import { EmbeddedHypervisor, parseProgram, RAM_BASE, type MachineSnapshot } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import {
  EXPERIMENT_DEFAULTS,
  type Experiment,
  type FaultKind,
  FAULT_KINDS,
  type GuestUnderTest,
  type Lone,
} from '../src/index.js';

const elf = readGuest('server');
const { symbols } = parseProgram(elf, 'server.elf');
const text = new TextEncoder();
const input = Array.from({ length: 60 }, (_, index) => ({
  at: `${index + 2}ms` as const,
  data: text.encode(index === 59 ? 'z quit\n' : `a${index} incr key${index % 5}\n`),
}));
const server = { name: 'server', elf, memoryBytes: GUESTS.server.memoryBytes, input };

/** The guest `server`, which lives for 61 ms, protected by the preset. */
export function serverUnderTest(preset: MicrocheckpointOptions = {}): GuestUnderTest<MachineSnapshot> {
  const idle: Lone<MachineSnapshot>[] = [];
  return {
    name: 'server',
    ramBase: RAM_BASE,
    cycleNs: 10,
    start(from) {
      const lone = (from === undefined ? undefined : idle.pop()) ?? aloneOn(new EmbeddedHypervisor());
      if (from !== undefined) lone.machine.load(from);
      // A VM and its translations cost more than an experiment.
      return { ...lone, close: async () => void idle.push(lone) };
    },
    framesOf: ({ frames }) => frames,
    symbol(name) {
      const address = symbols.get(name);
      return address === undefined ? undefined : BigInt(address);
    },
    symbolAt: () => undefined,
    protect: (machine, observe) =>
      createDomain({ name: 'server', machine, plugins: microcheckpoint(preset), observe }),
  };
}

function aloneOn(hypervisor: EmbeddedHypervisor): Lone<MachineSnapshot> {
  const machine = hypervisor.createMachine(server);
  return { machine, run: (how) => hypervisor.run(how), close: () => hypervisor.close() };
}

function kindNamed(name: string): FaultKind {
  const kind = FAULT_KINDS.find((each) => each.name === name);
  if (kind === undefined) throw new Error(`no fault is named ${name}`);
  return kind;
}

export function experimentOf(
  faults: Readonly<Record<string, object>>,
  changes: Partial<Experiment> = {},
): Experiment {
  return {
    ...EXPERIMENT_DEFAULTS,
    seed: 1,
    count: 10,
    steadyState: { exitCode: 0, withinNs: 60e9 },
    faults: Object.entries(faults).map(([name, options]) => kindNamed(name).choose(options)),
    ...changes,
  };
}
