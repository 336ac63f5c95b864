import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { attributeExtension } from './attributes.js';
import { exportKey, generateKeys, KEY_ALGORITHM, SIGNING_ALGORITHM } from './keys.js';
import { hasLowS } from './lowS.js';

const DAY = 24 * 60 * 60 * 1000;
/** Machines' clocks differ: a certificate that begins now would be refused by a clock a little behind. */
const CLOCK_SKEW = 5 * 60 * 1000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 365;

/** Fabric's node OUs: what an identity may act as. */
export type NodeRole = 'client' | 'peer' | 'admin' | 'orderer';

/** A certificate with its private key, both PEM (the key PKCS#8). */
export interface IssuedCertificate {
  certificate: string;
  key: string;
}

/** First and last moment of a certificate; by default from five minutes ago for a year. */
export interface Validity {
  notBefore?: Date;
  notAfter?: Date;
}

/** A certificate authority: ECDSA P-256 with SHA-256, signatures with low S, as Fabric's MSP wants them. */
export class CertificateAuthority {
  private constructor(
    private readonly root: X509Certificate,
    private readonly signingKey: webcrypto.CryptoKey,
    /** The authority's own certificate and key. */
    readonly issued: IssuedCertificate,
    private readonly organization: string,
  ) {}

  /** Makes a self-signed authority, valid for ten years. `organization` is the O of every subject. */
  static async create(
    commonName: string,
    organization: string,
    validity: Validity = {},
  ): Promise<CertificateAuthority> {
    const keys = await generateKeys();
    const identifier = await SubjectKeyIdentifierExtension.create(keys.publicKey);
    const certificate = await generateLowS(() =>
      X509CertificateGenerator.createSelfSigned({
        serialNumber: serialNumber(),
        name: subject(organization, commonName),
        keys,
        ...period(validity, AUTHORITY_DAYS),
        signingAlgorithm: SIGNING_ALGORITHM,
        extensions: [
          new BasicConstraintsExtension(true, undefined, true),
          new KeyUsagesExtension(
            KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
            true,
          ),
          identifier,
        ],
      }),
    );
    const key = await exportKey(keys.privateKey);
    return new CertificateAuthority(
      certificate,
      keys.privateKey,
      { certificate: pem(certificate), key },
      organization,
    );
  }

  /** Takes up an authority made earlier from its certificate and key (PEM). */
  static async load(issued: IssuedCertificate): Promise<CertificateAuthority> {
    const certificate = new X509Certificate(issued.certificate);
    const key = await webcrypto.subtle.importKey(
      'pkcs8',
      PemConverter.decodeFirst(issued.key),
      KEY_ALGORITHM,
      true,
      ['sign'],
    );
    const organization = certificate.subjectName.getField('O')[0] ?? '';
    return new CertificateAuthority(certificate, key, issued, organization);
  }

  /** Issues the identity of a node or a user: OU is its role, `attributes` go into Fabric CA's extension. */
  async issueIdentity(
    commonName: string,
    role: NodeRole,
    attributes: Readonly<Record<string, string>> | undefined,
    validity: Validity = {},
  ): Promise<IssuedCertificate> {
    return this.issue(subject(this.organization, commonName, role), validity, [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ...(attributes ? [attributeExtension(attributes)] : []),
    ]);
  }

  /** Issues a TLS certificate for the host names and addresses of a server, which may also act as a client. */
  async issueTls(
    commonName: string,
    hosts: readonly string[],
    validity: Validity = {},
  ): Promise<IssuedCertificate> {
    return this.issue(subject(this.organization, commonName), validity, [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isAddress(host) ? ('ip' as const) : ('dns' as const), value: host })),
      ),
    ]);
  }

  private async issue(
    name: ReturnType<typeof subject>,
    validity: Validity,
    extensions: Extension[],
  ): Promise<IssuedCertificate> {
    const keys = await generateKeys();
    const constant = [
      new BasicConstraintsExtension(false, undefined, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(this.root.publicKey),
    ];
    const certificate = await generateLowS(() =>
      X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: name,
        issuer: this.root.subjectName.toJSON(),
        publicKey: keys.publicKey,
        signingKey: this.signingKey,
        ...period(validity, LEAF_DAYS),
        signingAlgorithm: SIGNING_ALGORITHM,
        extensions: [...constant, ...extensions],
      }),
    );
    return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
  }
}

function subject(organization: string, commonName: string, unit?: string): Record<string, string[]>[] {
  return [{ O: [organization] }, ...(unit === undefined ? [] : [{ OU: [unit] }]), { CN: [commonName] }];
}

/** Fabric accepts only the lower of the two equivalent signatures; each attempt is one with probability 1/2. */
async function generateLowS(generate: () => Promise<X509Certificate>): Promise<X509Certificate> {
  for (;;) {
    const certificate = await generate();
    if (hasLowS(new Uint8Array(certificate.signature))) return certificate;
  }
}

function period(validity: Validity, days: number): { notBefore: Date; notAfter: Date } {
  const notBefore = validity.notBefore ?? new Date(Date.now() - CLOCK_SKEW);
  return { notBefore, notAfter: validity.notAfter ?? new Date(Date.now() + days * DAY) };
}

function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  // Positive and never shortened: top bit clear, the next one set (RFC 5280, 4.1.2.2).
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

function isAddress(host: string): boolean {
  return /^[0-9.]+$/.test(host) || host.includes(':');
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}
