/** Requests that two people of the institution sign: to delete an object, or to lift a legal hold. */
import { createHash, sign, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { StorageError } from '../errors.js';
import type { Organizations } from '../identity/msp.js';

const LONGEST_DAYS = 7;
const DAY_MS = 86_400_000;

export const storageRequest = z.strictObject({
  type: z.literal('strokeshare/storage-request'),
  version: z.literal(1),
  mspId: z.string().min(1),
  action: z.enum(['delete', 'release']),
  /** SHA-256 of the object. */
  object: z.string().regex(/^[0-9a-f]{64}$/),
  reason: z.string().min(1).max(500),
  /** 16 random bytes, hexadecimal: no request serves twice. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  expires: z.iso.datetime(),
});
export type StorageRequest = z.infer<typeof storageRequest>;

export const approvedRequest = z.strictObject({
  request: storageRequest,
  approvals: z
    .array(
      z.strictObject({
        /** PEM of the enrolment certificate. */
        certificate: z.string().max(8_000),
        /** ECDSA with SHA-256 over {@link requestBytes}, DER, base64. */
        signature: z.base64().max(200),
      }),
    )
    .length(2),
});
export type ApprovedRequest = z.infer<typeof approvedRequest>;

/** What is signed: JSON with the keys in their order. */
export function requestBytes(request: StorageRequest): Buffer {
  const entries = Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}

/** SHA-256 of what is signed; the request's name on the ledger and in the journal. */
export const requestDigest = (request: StorageRequest): string =>
  createHash('sha256').update(requestBytes(request)).digest('hex');

/** One person's approval. */
export const approve = (
  request: StorageRequest,
  certificate: string,
  key: KeyObject,
): ApprovedRequest['approvals'][number] => ({
  certificate,
  signature: sign('sha256', requestBytes(request), key).toString('base64'),
});

/**
 * Checks that two different operators of the institution signed this very request, and that it is in time.
 *
 * @returns their subjects.
 * @throws StorageError `REQUEST_INVALID`, `REFUSED`.
 */
export function checkApprovals(
  value: unknown,
  action: StorageRequest['action'],
  { mspId, organizations, now }: { mspId: string; organizations: Organizations; now: Date },
): { request: StorageRequest; subjects: [string, string] } {
  const parsed = approvedRequest.safeParse(value);
  if (!parsed.success)
    throw new StorageError('REQUEST_INVALID', 'The request does not have its shape, with two approvals.');
  const { request, approvals } = parsed.data;
  if (request.mspId !== mspId || request.action !== action)
    throw new StorageError('REFUSED', 'The request is for another institution or another action.');
  const left = Date.parse(request.expires) - now.getTime();
  if (left <= 0 || left > LONGEST_DAYS * DAY_MS)
    throw new StorageError('REFUSED', `The request has expired, or runs for more than ${LONGEST_DAYS} days.`);
  const people = approvals.map(({ certificate, signature }) => {
    const parsedCertificate = certificateOf(certificate);
    const person = organizations.identify(parsedCertificate, now);
    if (typeof person === 'string' || person.mspId !== mspId || person.role !== 'operator')
      throw new StorageError('REFUSED', 'An approval is not by an operator of this institution.');
    const key = parsedCertificate.publicKey;
    if (!verify('sha256', requestBytes(request), key, Buffer.from(signature, 'base64')))
      throw new StorageError('REFUSED', `The signature of ${person.subject} is not over this request.`);
    return { subject: person.subject, key: key.export({ type: 'spki', format: 'der' }).toString('hex') };
  });
  const [first, second] = people;
  if (!first || !second || first.subject === second.subject || first.key === second.key)
    throw new StorageError('REFUSED', 'Two different people have to approve.');
  return { request, subjects: [first.subject, second.subject] };
}

function certificateOf(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new StorageError('REQUEST_INVALID', 'An approval holds no certificate.', { cause });
  }
}
