import { Patience } from './patience.js';

/** A place that is often jumped to, and whose instruction the interpreter has to execute. */
export class Head {
  readonly patience = new Patience();
  /** Whether it is an LR, from which on all is interpreted until the SC. */
  reserves = false;

  /** `next`: where the instruction after it lies. Translated code may begin there. */
  constructor(readonly next: number) {}
}
