import 'reflect-metadata';
import { runInWorker } from './experimentPool.js';

/** What the pool calls in each worker thread. */
export default runInWorker;
