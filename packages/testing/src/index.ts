export { goldenRun } from './goldenRun.js';
export { guestStateOf, type GuestState } from './guestState.js';
export { Recorder, RECORDED } from './recorder.js';
export { Rig, startRig, type RigOptions } from './rig.js';
export { guestMachine, type RigGuest } from './rigGuest.js';
