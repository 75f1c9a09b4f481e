import * as fc from 'fast-check';
import { LONG } from './long.js';

// Property tests draw the same cases in every run, so that a test fails because of a change and not by chance.
// RMK_PROPERTY_SEED takes another seed, or `random` for a new one each time.
const wanted = process.env['RMK_PROPERTY_SEED'] ?? '20260101';
const seed = wanted === 'random' ? {} : { seed: Number.parseInt(wanted, 10) };
fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  ...seed,
  ...(LONG ? { numRuns: 1000 } : {}),
  // An array of up to 60 elements has up to 60: fast-check's own default is 10, whatever its maxLength.
  defaultSizeToMaxWhenMaxSpecified: true,
});
