import type { Readable, Writable } from 'node:stream';
import { isCancel, select, text } from '@clack/prompts';
import { KIND_NAMES, KINDS, type Kind } from './kinds.js';
import { pluginNames } from './pluginNames.js';
import { UsageError } from './usageError.js';

/** Where somebody answers. */
export interface Conversation {
  readonly input: Readable;
  readonly output: Writable;
}

/** Undefined where the question was not answered (Ctrl-C). */
export async function askForName(conversation: Conversation): Promise<string | undefined> {
  const answer = await text({
    ...conversation,
    message: 'What is the plugin called?',
    placeholder: 'room-temperature',
    validate: whyNoName,
  });
  return isCancel(answer) ? undefined : answer;
}

/** Undefined where the question was not answered (Ctrl-C). */
export async function askForKind(conversation: Conversation): Promise<Kind | undefined> {
  const answer = await select({
    ...conversation,
    message: 'What is it?',
    options: KIND_NAMES.map((kind) => ({ value: kind, label: kind, hint: KINDS[kind] })),
  });
  return isCancel(answer) ? undefined : answer;
}

function whyNoName(answer: string | undefined): string | undefined {
  try {
    pluginNames(answer ?? '');
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}
