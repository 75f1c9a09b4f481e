import type { DeviceBus } from './deviceBus.js';
import type { HartState } from './hartState.js';
import { Stop, type HartMemory, type Processor } from './processor.js';

/** Decodes each instruction as it comes. The plain meaning of the instruction set, which other processors are checked against. */
export class Interpreter implements Processor {
  constructor(
    readonly state: HartState,
    readonly memory: HartMemory,
    readonly devices: DeviceBus,
  ) {}

  run(_untilCycle: number): Stop {
    return Stop.LIMIT;
  }
}
