/**
 * Commit before reveal: every message of a round is committed by all before any is shown. Otherwise the last sender
 * of the relinearisation key's first round chooses its message after the others' and reads their secrets.
 */
import { canonicalJson, sha256, sha256Hex } from '../bytes/canonical.js';
import { FheError } from '../errors.js';

/**
 * Messages of a ceremony in their order; publicKey and relin1 are one round. A disclosure ends an attempt whose
 * dealings are disputed; it is the one message that needs no commitment.
 */
export const ceremonyLabels = [
  'seed',
  'publicKey',
  'relin1',
  'relin2',
  'dealing',
  'dealingCheck',
  'disclosure',
] as const;
export type CeremonyLabel = (typeof ceremonyLabels)[number];

export interface CommitmentContent {
  readonly epochId: string;
  readonly attempt: number;
  readonly sender: string;
  readonly label: CeremonyLabel;
  /** Hex, 32 bytes of randomness. */
  readonly nonce: string;
  /** Hex SHA-256 of the message. */
  readonly bytesHash: string;
}

const hexPattern = /^[0-9a-f]{64}$/;

/**
 * The commitment to a message: hex SHA-256 of the canonical JSON (RFC 8785) of exactly these fields, so that a
 * contract checks a reveal from the message's hash alone.
 *
 * @throws FheError ARGUMENT_INVALID
 */
export function commitment(content: CommitmentContent): string {
  const { epochId, attempt, sender, label, nonce, bytesHash } = content;
  if (!hexPattern.test(nonce) || !hexPattern.test(bytesHash)) {
    throw new FheError('ARGUMENT_INVALID', 'A nonce and a hash have 64 lower-case hexadecimal digits.');
  }
  return sha256Hex(canonicalJson({ epochId, attempt, sender, label, nonce, bytesHash }));
}

/**
 * Checks a revealed message against the commitment that its sender made before anything was revealed.
 *
 * @param bytes the message
 * @throws FheError CEREMONY_MESSAGE_INVALID, naming the sender; ARGUMENT_INVALID
 */
export function requireCommitted(
  content: Omit<CommitmentContent, 'bytesHash'>,
  bytes: Uint8Array,
  committed: string,
): void {
  if (commitment({ ...content, bytesHash: sha256Hex(bytes) }) === committed) return;
  const { sender, label } = content;
  throw new FheError(
    'CEREMONY_MESSAGE_INVALID',
    `The ${label} message of ${sender} does not open its commitment.`,
    { sender },
  );
}

export interface SeedReveal {
  readonly sender: string;
  /** 32 bytes. */
  readonly contribution: Uint8Array;
}

/**
 * The epoch's seed from all revealed contributions: SHA-256 of the ASCII text "strokeshare/fhe/epoch-seed/v1", a
 * zero byte, and for each sender, in the order of UTF-16 code units, the length of its name in UTF-8 (u32, little
 * endian), the name and the contribution. Uniform as soon as one contribution is.
 *
 * @throws FheError CEREMONY_MESSAGE_INVALID, naming the sender
 */
export function epochSeed(reveals: readonly SeedReveal[]): Uint8Array {
  if (reveals.length === 0)
    throw new FheError('CEREMONY_MESSAGE_MISSING', 'No contribution to the seed was given.');
  const sorted = [...reveals].sort((a, b) => (a.sender < b.sender ? -1 : 1));
  const parts = sorted.flatMap(({ sender, contribution }, i) => {
    const fail = (what: string): FheError =>
      new FheError('CEREMONY_MESSAGE_INVALID', `The seed contribution of ${sender} ${what}.`, { sender });
    if (contribution.length !== 32) throw fail('has not 32 bytes');
    if (sorted[i - 1]?.sender === sender) throw fail('was given twice');
    const name = new TextEncoder().encode(sender);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, name.length, true);
    return [length, name, contribution];
  });
  return sha256('strokeshare/fhe/epoch-seed/v1\0', ...parts);
}
