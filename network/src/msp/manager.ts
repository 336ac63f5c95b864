import { asBuffer } from '../protos/bytes.js';
import { Identity, parseIdentity } from './identity.js';
import { type Msp, type PrincipalRole, unknownAuthority } from './msp.js';

const cachedIdentities = 1000;

/** The organisations of a channel: turns serialized identities into members. */
export class MspManager {
  readonly #msps: ReadonlyMap<string, Msp>;
  readonly #identities = new Map<string, Identity>();

  constructor(msps: Iterable<Msp>) {
    this.#msps = new Map(Array.from(msps, (msp) => [msp.mspId, msp]));
  }

  get mspIds(): string[] {
    return [...this.#msps.keys()];
  }

  /** @throws Error where the organisation is unknown here or none of its authorities issued the certificate */
  deserialize(bytes: Uint8Array): Identity {
    const cacheKey = asBuffer(bytes).toString('latin1');
    const known = this.#identities.get(cacheKey);
    if (known) return known;
    const { mspId, pem } = parseIdentity(bytes);
    const msp = this.#msps.get(mspId);
    if (!msp) throw new Error(`MSP ${mspId} is unknown`);
    const identity = new Identity(mspId, pem);
    if (!msp.vouchesFor(identity)) throw new Error(unknownAuthority);
    const oldest = this.#identities.keys().next();
    if (this.#identities.size >= cachedIdentities && !oldest.done) this.#identities.delete(oldest.value);
    this.#identities.set(cacheKey, identity);
    return identity;
  }

  /** Why the identity is not a valid member of its organisation; null if it is. */
  problem(identity: Identity): string | null {
    const msp = this.#msps.get(identity.mspId);
    return msp ? msp.problem(identity) : `MSP ${identity.mspId} is unknown`;
  }

  satisfies(identity: Identity, mspId: string, role: PrincipalRole): boolean {
    return this.#msps.get(mspId)?.satisfies(identity, role) ?? false;
  }
}
