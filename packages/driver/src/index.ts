export * from './addressRange.js';
export * from './epochPlan.js';
export * from './factEmitter.js';
export * from './logChain.js';
export * from './machineErrors.js';
export * from './remoteSerial.js';
export * from './timerDelays.js';
export * from './timerQueue.js';
