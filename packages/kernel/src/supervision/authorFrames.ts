import { fileURLToPath } from 'node:url';

/** Packages of RMK that call an author's code; what they do in between says nothing about the author's mistake. */
const MACHINERY = 'core|kernel|driver|campaign|testing|cli|hypervisor-embedded|hypervisor-qemu';
const TOOLS = 'tsyringe|reflect-metadata|eventemitter3|vitest|@vitest/[^/]+|vite|tinypool|jiti|commander|zod';
const INSTALLED = new RegExp(`/node_modules/(?:@rmk/(?:${MACHINERY})|${TOOLS})/`);
/** The folder that holds the packages of RMK, in a clone of the project. */
const PACKAGES = fileURLToPath(new URL('../../..', import.meta.url)).replaceAll('\\', '/');
const CLONE = PACKAGES.replace(/packages\/$/, '');
const IN_CLONE = new RegExp(`^(?:${MACHINERY})/(?:src|dist|bin)/`);
/**
 * What an author calls: a plugin of RMK, by the kernel's facades, and what that calls. The kernel's dispatch calls
 * authors.
 */
const CALLED = '(?!kernel/|campaign/|testing/|cli/)[^/]+/(?:src|dist)/|kernel/(?:src|dist)/scope/';
const CALLED_INSTALLED = new RegExp(`/node_modules/@rmk/(?:${CALLED})`);
const CALLED_IN_CLONE = new RegExp(`^(?:packages|plugins)/(?:${CALLED})`);
const FRAME = /^\s*at (?:(.*) \()?(?:file:\/\/)?((?:[A-Za-z]:)?[^()\s]*?):(\d+):(\d+)\)?$/;

/** A place in a program. */
export interface StackFrame {
  /** The function, where it has a name. */
  readonly name: string | undefined;
  /** `file:line:column` */
  readonly place: string;
}

/**
 * The frames of an author's own code in the stack of `thrown`, innermost first: without those of RMK, of the libraries
 * that it calls, and of Node. Where `thrown` wraps the error of an author, those of its innermost cause that has any.
 */
export function authorFrames(thrown: unknown): readonly StackFrame[] {
  let innermost: readonly StackFrame[] = [];
  const seen = new Set<unknown>();
  for (let error = thrown; error instanceof Error && !seen.has(error); error = error.cause) {
    seen.add(error);
    const frames = ofAuthor(framesOf(error.stack ?? ''));
    if (frames.length > 0) innermost = frames;
  }
  return innermost;
}

function framesOf(stack: string): readonly StackFrame[] {
  return stack.split('\n').flatMap((line) => {
    const [, name, file, row, column] = FRAME.exec(line) ?? [];
    return file === undefined ? [] : [{ name, place: `${file}:${row}:${column}` }];
  });
}

/** Until the machinery called them: who called the machinery is another author, or the host. */
function ofAuthor(frames: readonly StackFrame[]): readonly StackFrame[] {
  const caller = frames.findIndex((frame) => !isCalled(frame));
  const called = frames[caller];
  const begin = called !== undefined && isAuthors(called) ? caller : frames.findIndex(isAuthors);
  if (begin < 0) return [];
  const end = frames.findIndex((frame, index) => index > begin && !isAuthors(frame));
  return frames.slice(begin, end < 0 ? undefined : end);
}

/** Whether an author's mistake can surface in it, as where a pin is called with a wrong address. */
function isCalled({ place }: StackFrame): boolean {
  const path = place.replaceAll('\\', '/');
  if (path.startsWith('node:') || CALLED_INSTALLED.test(path)) return true;
  return path.startsWith(CLONE) && CALLED_IN_CLONE.test(path.slice(CLONE.length));
}

function isAuthors({ place }: StackFrame): boolean {
  const path = place.replaceAll('\\', '/');
  if (path.startsWith('node:') || !path.includes('/') || INSTALLED.test(path)) return false;
  return !(path.startsWith(PACKAGES) && IN_CLONE.test(path.slice(PACKAGES.length)));
}
