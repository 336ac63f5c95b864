/**
 * Detached signatures: ECDSA over P-256 with SHA-256, DER, low S, over the canonical JSON of a content. Its `type`
 * field keeps a signature from serving for another kind of content.
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ContractError } from '../errors.js';
import { canonicalJson } from '@strokeshare/fhe';
import { type AgreementContent } from './permissions.js';
import { type Job, type VerdictContent } from './jobs.js';

export type SignedContent = AgreementContent | VerdictContent;

/** Order of the P-256 group (FIPS 186-5, SP 800-186 section 3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);

function derInteger(value: bigint): Buffer {
  let hex = value.toString(16);
  if (hex.length % 2) hex = `0${hex}`;
  if (Number.parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  const bytes = Buffer.from(hex, 'hex');
  return Buffer.concat([Buffer.of(0x02, bytes.length), bytes]);
}

function toDer(r: bigint, s: bigint): Buffer {
  const body = Buffer.concat([derInteger(r), derInteger(s)]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

/** Reads SEQUENCE { INTEGER r, INTEGER s }; only the one encoding that {@link toDer} writes is accepted. */
function fromDer(der: Uint8Array): { r: bigint; s: bigint } | undefined {
  const rLength = der[3];
  if (rLength === undefined) return undefined;
  const r = toNumber(der.subarray(4, 4 + rLength));
  const s = toNumber(der.subarray(6 + rLength));
  return Buffer.compare(toDer(r, s), der) === 0 ? { r, s } : undefined;
}

/**
 * Signs a content.
 * @returns the signature in base64.
 */
export function signDetached(content: SignedContent, privateKey: KeyObject): string {
  const raw = sign('sha256', Buffer.from(canonicalJson(content)), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  const s = toNumber(raw.subarray(32));
  return toDer(toNumber(raw.subarray(0, 32)), s > ORDER / 2n ? ORDER - s : s).toString('base64');
}

/** Whether the signature is over this content, by this key, in the one accepted encoding. */
export function verifyDetached(content: SignedContent, signature: string, publicKeyPem: string): boolean {
  const parts = fromDer(Buffer.from(signature, 'base64'));
  if (!parts || parts.r <= 0n || parts.r >= ORDER || parts.s <= 0n || parts.s > ORDER / 2n) return false;
  return verify(
    'sha256',
    Buffer.from(canonicalJson(content)),
    { key: signingKeyOf(publicKeyPem), dsaEncoding: 'ieee-p1363' },
    Buffer.concat([toBytes(parts.r), toBytes(parts.s)]),
  );
}

/**
 * Parses an enrolled signing key.
 * @throws ContractError BAD_KEY unless it is the PEM of a P-256 public key.
 */
export function signingKeyOf(pem: string): KeyObject {
  if (!/^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?$/.test(pem))
    throw new ContractError('BAD_KEY', 'The signing key is not the PEM of a public key.');
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new ContractError('BAD_KEY', 'The signing key cannot be read.', { cause });
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new ContractError('BAD_KEY', 'The signing key is not on the curve P-256.');
  return key;
}

/** What a holder signs with its verdicts. */
export function verdictContentOf(
  { jobId, planHash = '', committee = [] }: Pick<Job, 'jobId' | 'planHash' | 'committee'>,
  mspId: string,
  verdicts: VerdictContent['verdicts'],
): VerdictContent {
  return { type: 'strokeshare/verdict', version: 1, jobId, planHash, committee, mspId, verdicts };
}
