/** Whether this is `npm run test:long`: properties with many more cases, and guests that run to their end. */
export const LONG = process.env['RMK_LONG'] === '1';

/** The number of cases of a property whose cases are costly: few in every run, many in the long one. */
export function cases(few: number, many = 10 * few): number {
  return LONG ? many : few;
}
