declare const provided: unique symbol;

/** Names something that can be injected, and carries its type: `constructor(@inject(P_VCPU) vcpu: VcpuPin)`. */
export type Token<T> = symbol & { readonly [provided]?: T };

/** What a token may state besides its type, which is gone at run time. */
export interface TokenDescription<T> {
  /** Members that an object behind the token must have: the kernel checks them before the plugin starts. */
  readonly members?: readonly (keyof T & string)[];
  /** An exclusive right: of a domain, only one plugin may require it. A second one is refused (`RMK_ERR_EXCLUSIVE`). */
  readonly exclusive?: boolean;
  /**
   * Methods that are given objects to call later, each with the names of the methods of such an object. What one of
   * these throws is a fault of the plugin that gave the object; what else is wrong with it, {@link reportFault}
   * reports.
   */
  readonly callbacks?: { readonly [M in keyof T & string]?: readonly string[] };
  /** The package whose plugin usually provides it: RMK_ERR_MISSING names it. */
  readonly provider?: string;
}

interface Described {
  readonly members: readonly string[];
  readonly exclusive: boolean;
  readonly callbacks: Readonly<Record<string, readonly string[]>> | undefined;
  readonly provider: string | undefined;
}

/** One registry for all copies of this package, as the tokens themselves are the same in all. */
const REGISTRY = Symbol.for('@rmk/core:tokens');
const shared = globalThis as { [REGISTRY]?: Map<Token<unknown>, Described> };
const descriptions = (shared[REGISTRY] ??= new Map());

/** `Symbol.for`, so that a second copy of the package that declares a token means the same token. */
export function token<T>(
  name: string,
  { members, exclusive, callbacks, provider }: TokenDescription<T> = {},
): Token<T> {
  const named: Token<T> = Symbol.for(`rmk:${name}`);
  if ([members, exclusive, callbacks, provider].some((stated) => stated !== undefined)) {
    const known = descriptions.get(named);
    descriptions.set(named, {
      members: members ?? known?.members ?? [],
      exclusive: exclusive ?? known?.exclusive ?? false,
      callbacks: (callbacks as Described['callbacks']) ?? known?.callbacks,
      provider: provider ?? known?.provider,
    });
  }
  return named;
}

/** The members that the token was declared with; empty if with none. */
export function membersOf(of: Token<unknown>): readonly string[] {
  return descriptions.get(of)?.members ?? [];
}

/** Whether only one plugin of a domain may require the token. */
export function isExclusive(of: Token<unknown>): boolean {
  return descriptions.get(of)?.exclusive ?? false;
}

/** The `callbacks` that the token was declared with; undefined if with none. */
export function callbacksOf(of: Token<unknown>): Readonly<Record<string, readonly string[]>> | undefined {
  return descriptions.get(of)?.callbacks;
}

/** How to get a plugin that provides the token: names the package that the token was declared with, if any. */
export function providerHint(of: Token<unknown>): string {
  const provider = descriptions.get(of)?.provider;
  return provider === undefined ? 'Add one that does.' : `Add one that does, such as ${provider}.`;
}

/** The name that `token` was called with. */
export function tokenName(of: Token<unknown>): string {
  return Symbol.keyFor(of)?.replace(/^rmk:/, '') ?? of.description ?? 'an unnamed token';
}
