import { afterAll, afterEach, describe } from 'vitest';
import { checkpointContract } from './checkpointContract.js';
import { clockContract } from './clockContract.js';
import { controlContract } from './controlContract.js';
import { factsContract } from './factsContract.js';
import type { HypervisorSubject, HypervisorSuiteOptions } from './hypervisorSubject.js';
import { lifeContract } from './lifeContract.js';
import { planContract } from './planContract.js';
import { replayContract } from './replayContract.js';
import { rollbackContract } from './rollbackContract.js';
import { Stage } from './vmUnderTest.js';

/**
 * The contract of the `VirtualMachine` port, as tests: call it in a test file of a driver. Only what the machine's
 * `capabilities` promise is asked of it; what they do not is skipped, and the skipped test says why.
 */
export function describeHypervisor(
  name: string,
  factory: () => HypervisorSubject | Promise<HypervisorSubject>,
  { shared = false, timeoutMs, propertyRuns = 25 }: HypervisorSuiteOptions = {},
): void {
  const timeout = timeoutMs === undefined ? {} : { timeout: timeoutMs };
  describe(`the hypervisor ${name}`, { ...timeout, sequential: true }, () => {
    const stage = new Stage(factory, shared);
    afterEach(() => stage.afterTest(), timeoutMs);
    afterAll(() => stage.end(), timeoutMs);
    controlContract(stage);
    factsContract(stage);
    clockContract(stage);
    checkpointContract(stage);
    planContract(stage);
    rollbackContract(stage, propertyRuns);
    replayContract(stage);
    // Last, since a shared VM has to boot again after a restart.
    lifeContract(stage);
  });
}
