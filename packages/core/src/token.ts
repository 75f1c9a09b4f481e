declare const provided: unique symbol;

/** Names something that can be injected, and carries its type: `constructor(@inject(P_VCPU) vcpu: VcpuPin)`. */
export type Token<T> = symbol & { readonly [provided]?: T };

/** `Symbol.for`, so that a second copy of the package that declares a token means the same token. */
export function token<T>(name: string): Token<T> {
  return Symbol.for(`rmk:${name}`);
}

/** The name that `token` was called with. */
export function tokenName(of: Token<unknown>): string {
  return Symbol.keyFor(of)?.replace(/^rmk:/, '') ?? of.description ?? 'an unnamed token';
}
