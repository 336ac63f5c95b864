import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { X509Certificate as PeculiarCertificate, X509Crl } from '@peculiar/x509';
import { type Identity, type NodeRole } from './identity.js';

export const unknownAuthority =
  'could not obtain certification chain: certificate signed by unknown authority';

export interface MspOptions {
  readonly mspId: string;
  readonly rootCertificates: readonly string[];
  readonly intermediateCertificates?: readonly string[];
  readonly revocationLists?: readonly string[];
}

/** Roles that a policy can ask for. */
export type PrincipalRole = NodeRole | 'member';

/**
 * Membership of one organisation: which certificates are its members, and in which role. Follows Fabric's MSP with
 * NodeOUs on: a chain to one of the roots, exactly one role among the organizational units, not revoked. Expiry is not
 * part of it: peers and orderers check that where a request comes in, so that old transactions stay valid.
 */
export class Msp {
  readonly #valid = new WeakMap<Identity, string | null>();

  private constructor(
    readonly mspId: string,
    private readonly roots: readonly X509Certificate[],
    private readonly intermediates: readonly X509Certificate[],
    /** Serial numbers by the fingerprint of the issuer. */
    private readonly revoked: ReadonlyMap<string, ReadonlySet<string>>,
  ) {}

  /** @throws Error where a certificate or revocation list cannot be read */
  static async create(options: MspOptions): Promise<Msp> {
    const roots = options.rootCertificates.map((pem) => new X509Certificate(pem));
    const intermediates = (options.intermediateCertificates ?? []).map((pem) => new X509Certificate(pem));
    const revoked = new Map<string, Set<string>>();
    for (const pem of options.revocationLists ?? []) {
      const list = new X509Crl(pem);
      // RFC 5280 demands it, and without it the parser overlooks the entries.
      if (!list.nextUpdate) throw new Error(`The revocation list of ${options.mspId} has no next update.`);
      for (const issuer of [...roots, ...intermediates]) {
        // A list counts only for the authority that signed it.
        if (!(await list.verify({ publicKey: new PeculiarCertificate(issuer.raw) }))) continue;
        const serials = revoked.get(issuer.fingerprint256) ?? new Set<string>();
        for (const entry of list.entries) serials.add(normalSerial(entry.serialNumber));
        revoked.set(issuer.fingerprint256, serials);
      }
    }
    return new Msp(options.mspId, roots, intermediates, revoked);
  }

  /** True if the certificate leads to one of the roots, whatever else may be wrong with it. */
  vouchesFor({ certificate }: Identity): boolean {
    return certificate.ca || this.#issuerOf(certificate) !== undefined;
  }

  /** Why the identity is not a valid member; null if it is. The answer is kept for each identity object. */
  problem(identity: Identity): string | null {
    let problem = this.#valid.get(identity);
    if (problem === undefined) {
      problem = this.#check(identity);
      this.#valid.set(identity, problem);
    }
    return problem;
  }

  /** True if the identity is a valid member with that role. */
  satisfies(identity: Identity, role: PrincipalRole): boolean {
    if (identity.mspId !== this.mspId || this.problem(identity) !== null) return false;
    return role === 'member' || identity.organizationalUnits.includes(role);
  }

  #check(identity: Identity): string | null {
    const { certificate } = identity;
    if (certificate.ca) return 'A CA certificate cannot be used directly by this MSP';
    const issuer = this.#issuerOf(certificate);
    if (!issuer) return unknownAuthority;
    if (this.revoked.get(issuer.fingerprint256)?.has(normalSerial(certificate.serialNumber))) {
      return 'The certificate has been revoked';
    }
    const { roles } = identity;
    const units = identity.organizationalUnits.join(' ');
    if (roles.length === 0) {
      return (
        'the identity does not have an OU that resolves to client, peer, orderer, or admin role. ' +
        `OUs: [${units}], MSP: [${this.mspId}]`
      );
    }
    if (roles.length > 1) {
      return (
        'the identity must have a client, a peer, an orderer, or an admin OU role to be valid, ' +
        `not a combination of them. OUs: [${units}], MSP: [${this.mspId}]`
      );
    }
    return null;
  }

  /** The authority that signed the certificate, if it leads to a root. */
  #issuerOf(certificate: X509Certificate): X509Certificate | undefined {
    const signed = (issuer: X509Certificate, subject: X509Certificate): boolean =>
      issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
    const root = this.roots.find((candidate) => signed(candidate, certificate));
    if (root) return root;
    return this.intermediates.find(
      (candidate) =>
        signed(candidate, certificate) && this.#leadsToRoot(candidate, this.intermediates.length),
    );
  }

  #leadsToRoot(certificate: X509Certificate, depth: number): boolean {
    const signed = (issuer: X509Certificate): boolean =>
      issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
    if (this.roots.some(signed)) return true;
    return (
      depth > 0 && this.intermediates.some((issuer) => signed(issuer) && this.#leadsToRoot(issuer, depth - 1))
    );
  }
}

function normalSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}
