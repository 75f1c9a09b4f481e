export { Recorder, RECORDED } from './recorder.js';
export { guestMachine, Rig, startRig, type RigGuest, type RigOptions } from './rig.js';
