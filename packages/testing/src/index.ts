export { faults, guestStateOf, type FaultTarget, type GuestState } from '@rmk/campaign';
export { goldenRun } from './goldenRun.js';
export { outputBytes, outputTranscript, type OutputByte, type TranscriptEntry } from './outputTranscript.js';
export type { EventHistory, Recorded } from './eventHistory.js';
export type { Occurrence } from './eventVerdict.js';
export {
  rmkMatchers,
  type ExpectedCheckpoint,
  type ExpectedDetection,
  type ExpectedFailedRecovery,
  type ExpectedFault,
  type ExpectedLoss,
  type ExpectedQuarantine,
  type ExpectedRecovery,
  type RmkMatchers,
} from './matchers.js';
export { Recorder, RECORDED } from './recorder.js';
export {
  requestReport,
  type DuplicatedAnswer,
  type ExpectedAnswer,
  type GivenAnswer,
  type OutputReport,
  type RequestReport,
  type WrongAnswer,
} from './requestReport.js';
export { Rig, startRig, type RigOptions } from './rig.js';
export { guestMachine, type RigGuest } from './rigGuest.js';
export {
  scriptClients,
  type ClientScript,
  type ScriptedClient,
  type ScriptedRequest,
} from './scriptedClients.js';
export type { DomainRigOptions } from './domainRig.js';
export { expectNoLeaks } from './expectNoLeaks.js';
export type { Activity, FakeGuest, ScriptedAct } from './fakes/fakeGuest.js';
export { FAKE_MACHINE, FakeMachine, type FakeMachineOptions } from './fakes/fakeMachine.js';
export { FakeContext, FakePageLog } from './fakes/fakePageLog.js';
export { FakePin, type PinCall } from './fakes/fakePin.js';
export {
  fakePins,
  fakePtable,
  fakeVcpu,
  fakeVmio,
  fakeVmschl,
  fakeVmsignal,
  type FakePins,
} from './fakes/fakePins.js';
export { FakeRig, startFakeRig, type FakeRigOptions } from './fakes/fakeRig.js';
export { LeakWatch } from './leakWatch.js';
