import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { common, msp } from '@hyperledger/fabric-protos';
import { type KeyPair } from '../embedded-options.js';
import { asBuffer, sha256 } from '../protos/bytes.js';
import { signMessage, verifySignature } from './signature.js';

/** NodeOU roles, which are organizational units of a certificate's subject. */
export type NodeRole = 'client' | 'peer' | 'admin' | 'orderer';
const nodeRoles: readonly string[] = ['client', 'peer', 'admin', 'orderer'];

/** A member of an organisation as its certificate shows it; `Msp.validate` says whether it is genuine. */
export class Identity {
  readonly certificate: X509Certificate;
  readonly organizationalUnits: readonly string[];
  /** Same for the same certificate of the same organisation, so that it counts once in a policy. */
  readonly key: string;
  readonly publicKey: KeyObject;
  readonly expiresAt: Date;

  /** @throws Error where the PEM is not an X.509 certificate */
  constructor(
    readonly mspId: string,
    pem: Uint8Array | string,
  ) {
    this.certificate = new X509Certificate(typeof pem === 'string' ? pem : asBuffer(pem));
    const units = this.certificate.toLegacyObject().subject?.OU as string | string[] | undefined;
    this.organizationalUnits = units === undefined ? [] : Array.isArray(units) ? units : [units];
    this.key = `${mspId}/${sha256(this.certificate.raw).toString('hex')}`;
    this.publicKey = this.certificate.publicKey;
    this.expiresAt = new Date(this.certificate.validTo);
  }

  /** The roles among the organizational units; a valid identity has exactly one. */
  get roles(): NodeRole[] {
    return this.organizationalUnits.filter((unit): unit is NodeRole => nodeRoles.includes(unit));
  }

  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return verifySignature(this.publicKey, message, signature);
  }
}

/** `SerializedIdentity` as it stands in creators and endorsements. */
export function serializeIdentity(mspId: string, certificatePem: string): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(Buffer.from(certificatePem));
  return identity.serializeBinary();
}

/** @throws Error where the bytes hold no identity */
export function parseIdentity(bytes: Uint8Array): { mspId: string; pem: Uint8Array } {
  const identity = msp.SerializedIdentity.deserializeBinary(bytes);
  return { mspId: identity.getMspid(), pem: identity.getIdBytes_asU8() };
}

/** An identity of our own, which signs. */
export class Signer {
  readonly serialized: Uint8Array;
  readonly #key: KeyObject;

  constructor(
    readonly mspId: string,
    pair: KeyPair,
  ) {
    this.serialized = serializeIdentity(mspId, pair.certificate);
    this.#key = createPrivateKey(pair.privateKey);
  }

  /** Signs the parts in a row. */
  sign(...parts: readonly Uint8Array[]): Buffer {
    return signMessage(this.#key, ...parts);
  }

  /** A signature header with a fresh nonce. */
  signatureHeader(): common.SignatureHeader {
    const header = new common.SignatureHeader();
    header.setCreator(this.serialized);
    header.setNonce(randomBytes(24));
    return header;
  }
}
