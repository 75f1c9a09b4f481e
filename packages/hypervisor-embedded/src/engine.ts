import { RmkError } from '@rmk/core';
import type { TranslatorOptions } from './translator/translator.js';

/**
 * What executes a guest's instructions. Both give the same results to the instruction; the translator is faster where
 * code runs often.
 */
export type Engine = 'interpreter' | 'translator' | { readonly translator: TranslatorOptions };

/** The engines that a VM can be made with, by name. */
export const ENGINES = ['translator', 'interpreter'] as const;

/** Names the engine of VMs that name none themselves, for tests that run with each. */
const ENGINE_VARIABLE = 'RMK_ENGINE';

/** The engine of VMs that name none: the translator, unless the environment says otherwise. Throws RMK_ERR_INPUT. */
export function defaultEngine(): (typeof ENGINES)[number] {
  const named = process.env[ENGINE_VARIABLE];
  if (named === undefined || named === '') return 'translator';
  const engine = ENGINES.find((known) => known === named);
  if (engine !== undefined) return engine;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `${ENGINE_VARIABLE} names the engine ${JSON.stringify(named)}. Set it to ${ENGINES.join(' or ')}, or unset it.`,
  );
}
