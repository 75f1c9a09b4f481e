declare const provided: unique symbol;

/** Names something that can be injected, and carries its type: `constructor(@inject(P_VCPU) vcpu: VcpuPin)`. */
export type Token<T> = symbol & { readonly [provided]?: T };

/** What a token may say besides its type, which is gone at run time. */
export interface TokenDescription<T> {
  /** Members that an object behind the token must have: the kernel looks for them before the plugin starts. */
  readonly members?: readonly (keyof T & string)[];
}

const membersByToken = new Map<Token<unknown>, readonly string[]>();

/** `Symbol.for`, so that a second copy of the package that declares a token means the same token. */
export function token<T>(name: string, { members }: TokenDescription<T> = {}): Token<T> {
  const named: Token<T> = Symbol.for(`rmk:${name}`);
  if (members !== undefined) membersByToken.set(named, members);
  return named;
}

/** The members that `token` was told of, none where it was not: as far as this copy of the package knows. */
export function membersOf(of: Token<unknown>): readonly string[] {
  return membersByToken.get(of) ?? [];
}

/** The name that `token` was called with. */
export function tokenName(of: Token<unknown>): string {
  return Symbol.keyFor(of)?.replace(/^rmk:/, '') ?? of.description ?? 'an unnamed token';
}
