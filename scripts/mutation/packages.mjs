// What is mutated, and which tests are to notice. `tests` goes beyond the package's own where its work shows elsewhere.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../workspaces.mjs';

/** The conformance suite runs whole guests for minutes. */
const NO_CONFORMANCE = /^(?!.*\/conformance\.test)/;

/** Tests on fakes and of single units; the others run a whole guest for each mutant. */
const heartbeatTests = /\/(onFakes|options|allowedSilence|beatMatcher|observedSilences)\.test/;
const corruptionTests = /\/(onFakes|options|portions)\.test/;

/** Left out are tests that take minutes: a thousand repetitions, fuzzing, whole figures of the paper, live QEMUs. */
const packages = {
  checkpoint: { folder: 'packages/checkpoint' },
  recovery: { folder: 'plugins/recovery' },
  'heartbeat-detector': { folder: 'plugins/heartbeat-detector', ownTests: heartbeatTests },
  'hang-detector': { folder: 'plugins/hang-detector', ownTests: NO_CONFORMANCE },
  'silent-corruption-detector': {
    folder: 'plugins/silent-corruption-detector',
    ownTests: corruptionTests,
  },
  // Detects crashes.
  'pin-vmsignal': { folder: 'plugins/pin-vmsignal', ownTests: NO_CONFORMANCE },
  kernel: { folder: 'packages/kernel', ownTests: /^(?!.*leaks\.test)/ },
  model: { folder: 'packages/model', ownTests: /^(?!.*(figure5|variants|readme)\.test)/ },
  // Its units that have tests without a QEMU; what is left speaks with a live one.
  'hypervisor-qemu': {
    folder: 'packages/hypervisor-qemu',
    sources:
      /\/(awaitedEvent|committedOutput|epochs|frameReader|hostClock|libraryProtocol|lineReader|pendingRequests|qmpClient|remoteSerial|snapshotClusters|stateFile|stateSections|vcpuActivity)\.ts$/,
    ownTests:
      /\/(awaitedEvent|committedOutput|epochs|frameReader|hostClock|hostClockTimers|libraryProtocol|lineReader|pendingRequests|qmpClient|remoteSerial|snapshotClusters|stateFile|stateSections|vcpuActivity|vcpuStretches|deviceState|machineFiles)\.test\.ts$/,
  },
  'hypervisor-embedded': {
    folder: 'packages/hypervisor-embedded',
    sources: /\/src\/(devices|memory|elf)\//,
    ownTests: /\/test\/(damage\.test|(devices|memory|elf)\/(?!elfFuzz))/,
  },
};

export const names = Object.keys(packages);

const filesUnder = (folder) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
        .toSorted()
    : [];

/** The sources and tests of a package, as paths from the root. */
export function filesOf(name) {
  const { folder, sources, ownTests, tests } = packages[name];
  const isTest = (path) => path.endsWith('.test.ts');
  return {
    sources: filesUnder(`${folder}/src`)
      .filter((path) => path.endsWith('.ts'))
      .filter((path) => !sources || sources.test(path)),
    tests: [
      ...filesUnder(`${folder}/test`).filter((path) => isTest(path) && (!ownTests || ownTests.test(path))),
      ...(tests
        ? filesUnder('test').filter(
            (path) => isTest(path) && tests.test(path) && !path.startsWith('test/qemu/'),
          )
        : []),
    ],
  };
}
