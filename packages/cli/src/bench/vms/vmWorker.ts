import 'reflect-metadata';
import { runVms } from './vmLoad.js';

/** What the pool calls in each worker thread. */
export default runVms;
