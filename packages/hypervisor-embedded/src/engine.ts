import type { TranslatorOptions } from './translator/translator.js';

/**
 * What executes a guest's instructions. Both give the same results to the instruction; the translator is faster where
 * code runs often.
 */
export type Engine = 'interpreter' | 'translator' | { readonly translator: TranslatorOptions };
