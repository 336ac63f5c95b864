/** Retention: what may go, when, and by whose word. Legal holds are set by one operator and lifted by two. */
import type { ZoneClient } from '../client/zone-client.js';
import { StorageError } from '../errors.js';
import type { FileBlobStore } from '../file-blob-store.js';
import type { Caller, Organizations } from '../identity/msp.js';
import { clip } from '../journal/entry.js';
import type { Journal } from '../journal/journal.js';
import type { ObjectKind, Register } from './objects.js';
import type { Originals } from './originals.js';
import type { PrivateLedger } from './private-ledger.js';
import type { Replicas } from './replicas.js';
import { checkApprovals, requestDigest, type StorageRequest } from './requests.js';

/** What deleting works with. */
export interface RetentionParts {
  mspId: string;
  organizations: Organizations;
  ciphertexts: FileBlobStore;
  originals: Originals;
  journal: Journal;
  register: Register;
  external: Pick<ZoneClient, 'json'>;
  replicas: Replicas;
  ledger: Pick<PrivateLedger, 'recordDeletion'>;
  /** How long objects are kept at least. */
  retentionDays: Readonly<Record<'originals' | 'ciphertexts', number>>;
  now: () => Date;
}

const DAY_MS = 86_400_000;

/** Puts an object on legal hold: nobody deletes it until two people lift that. */
export async function holdObject(
  { register, journal }: RetentionParts,
  { mspId, subject }: Caller,
  { object, reason }: { object: string; reason: string },
): Promise<void> {
  requireKind(register, object);
  await register.note(journal, { event: 'held', mspId, subject, blob: object, detail: clip(reason) });
}

/** Lifts a legal hold. @throws StorageError `REQUEST_INVALID`, `REFUSED`, `NOT_FOUND`. */
export async function releaseObject(parts: RetentionParts, value: unknown): Promise<{ object: string }> {
  const { request, digest, people } = approved(parts, value, 'release');
  const { register, journal, mspId } = parts;
  if (!register.held.has(request.object))
    throw new StorageError('NOT_FOUND', `Object ${request.object} is not on hold.`);
  const detail = clip(`request ${digest} by ${people}: ${request.reason}`, 1000);
  await register.note(journal, { event: 'released', mspId, blob: request.object, detail });
  return { object: request.object };
}

/**
 * Deletes an object for good: approved by two people, behind its retention, on no hold. The private channel has the
 * record before anything is gone; ciphertexts go from the external zone and the replicas first.
 *
 * @throws StorageError `REQUEST_INVALID`, `REFUSED`, `NOT_FOUND`, `RETAINED`, `UNAVAILABLE`.
 */
export async function deleteObject(
  parts: RetentionParts,
  value: unknown,
): Promise<{ object: string; replicasLeft: string[] }> {
  const { request, digest, people, subjects } = approved(parts, value, 'delete');
  const { register, journal, originals, ciphertexts, external, replicas, ledger, mspId } = parts;
  const { object, reason } = request;
  const kind = requireKind(register, object);
  const hold = register.held.get(object);
  if (hold !== undefined) throw new StorageError('RETAINED', `Object ${object} is on legal hold: ${hold}`);
  const until = retainedUntil(parts, kind, object);
  if (parts.now().getTime() < until)
    throw new StorageError('RETAINED', `Object ${object} is kept until ${new Date(until).toISOString()}.`);
  try {
    await ledger.recordDeletion({ object, requestDigest: digest, reason, approvedBy: subjects });
  } catch (cause) {
    throw new StorageError(
      'UNAVAILABLE',
      'The private channel did not take the record; nothing was deleted.',
      {
        cause,
      },
    );
  }
  let replicasLeft: string[] = [];
  if (kind === 'ciphertext') {
    await external.json({ method: 'DELETE', path: `/v1/blobs/${object}` });
    replicasLeft = await replicas.forget(object);
  }
  const left = replicasLeft.length > 0 ? `; replicas left at ${replicasLeft.join(', ')}` : '';
  const detail = clip(`request ${digest} by ${people}: ${reason}${left}`, 1000);
  await register.note(journal, { event: 'deleted', mspId, blob: object, detail });
  await (kind === 'original' ? originals : ciphertexts).remove(object);
  return { object, replicasLeft };
}

function approved(
  { mspId, organizations, register, now }: RetentionParts,
  value: unknown,
  action: StorageRequest['action'],
): { request: StorageRequest; digest: string; people: string; subjects: [string, string] } {
  const { request, subjects } = checkApprovals(value, action, { mspId, organizations, now: now() });
  const digest = requestDigest(request);
  if (register.used.has(digest)) throw new StorageError('REFUSED', 'This request was used already.');
  return { request, digest, subjects, people: subjects.join(' and ') };
}

function requireKind({ live }: Register, object: string): ObjectKind {
  if (live.original.since.has(object)) return 'original';
  if (live.ciphertext.since.has(object)) return 'ciphertext';
  throw new StorageError('NOT_FOUND', `There is no object ${object}.`);
}

function retainedUntil(
  { originals, register, retentionDays }: RetentionParts,
  kind: ObjectKind,
  object: string,
): number {
  if (kind === 'original') return Date.parse(originals.envelopeOf(object)?.retainUntil ?? '');
  const at = register.live.ciphertext.since.get(object)?.at ?? '';
  return Date.parse(at) + retentionDays.ciphertexts * DAY_MS;
}
