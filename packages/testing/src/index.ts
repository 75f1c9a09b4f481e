export { goldenRun } from './goldenRun.js';
export { guestStateOf, type GuestState } from './guestState.js';
export { outputBytes, outputTranscript, type OutputByte, type TranscriptEntry } from './outputTranscript.js';
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
