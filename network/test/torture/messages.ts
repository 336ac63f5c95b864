/** What the test tells the process that it will kill, and what it hears from it. */
export type Request = { readonly start: string } | { readonly verify: true };

/** `ready`: the peers' addresses by MSP id. */
export type Answer = { readonly ready: Record<string, string> } | { readonly verified: true };
