/** What a plugin may be made for; each has a folder of templates. */
export const KINDS = {
  pin: 'wraps a capability of the hypervisor, and publishes what happens there',
  detector: 'notices that the guest is not healthy',
  recovery: 'decides what is done about it',
  algorithm: 'a checkpoint algorithm: what is saved ahead of the writes',
} as const;

export type Kind = keyof typeof KINDS;

export const KIND_NAMES = Object.keys(KINDS) as readonly Kind[];

/** `a detector`, `an algorithm`. */
export function withArticle(kind: Kind): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
