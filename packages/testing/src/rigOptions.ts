import { GUESTS } from '@rmk/guests';
import { domainSettings, refuseInvalid, suggestion } from '@rmk/kernel';
import { z } from 'zod';

const names = Object.keys(GUESTS);
const Guest = z.custom<unknown>((given) => typeof given === 'string' && Object.hasOwn(GUESTS, given), {
  error: ({ input }) => `unknown guest (${suggestion(String(input), names)})`,
});
const isFunction = (given: unknown): boolean => typeof given === 'function';
const Expected = z.literal('expected', "expected 'expected', or no such key");

const settings = {
  ...domainSettings.shape,
  plugins: z.array(z.unknown(), 'expected an array of plugins'),
  faults: Expected.optional(),
  leaks: Expected.optional(),
  record: z.array(z.string(), 'expected an array of names of events').optional(),
  observe: z.custom(isFunction, 'expected a function').optional(),
};

const AnObject = z.custom(
  (given) => typeof given === 'object' && given !== null,
  'expected the options of a VM',
);

const options = {
  startRig: z
    .object({ ...settings, guest: Guest.optional(), machine: AnObject.optional() }, 'expected options')
    .refine(({ guest, machine }) => guest !== undefined || machine !== undefined, {
      path: ['guest'],
      message: "expected a guest of RMK, such as 'tasks', or the options of a VM as `machine`",
    }),
  startFakeRig: z.object({ ...settings, machine: AnObject.optional() }, 'expected options'),
};

/** Throws RMK_ERR_INPUT with everything that is wrong with the options of `operation`. */
export function checkRigOptions(operation: keyof typeof options, given: unknown): void {
  refuseInvalid(operation, options[operation], given);
}
