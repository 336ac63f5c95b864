/**
 * The collective keys from the public messages: what every party, and anyone who has the messages, computes and
 * compares by hash. No secret is involved.
 */
import { encodeBlob } from '../bytes/blob.js';
import { buildPublicKey, buildRelinKeys } from '../bytes/seal.js';
import { type Polynomial, Ring } from '../ring/ring.js';
import { referencePolynomial } from '../ring/uniform.js';
import { checkMessages, type MessageLabel, payloadPolynomials, type Roster } from './message.js';

/** Label of the public key's common reference polynomial. */
export const publicKeyReference = 'publicKey';
/** Label of the common reference polynomial of part j of the relinearisation key. */
export const relinReference = (j: number): string => `relin:${j}`;

/** Sums of all parties' polynomials, position by position, after every check. */
export function sumMessages(
  roster: Roster,
  label: MessageLabel,
  messages: ReadonlyMap<string, Uint8Array>,
): { sums: BigUint64Array[]; hashes: string[] } {
  const checked = checkMessages(roster, label, messages);
  using ring = new Ring(roster.set);
  let sums: Polynomial[] | undefined;
  for (const { payload } of checked) {
    const polynomials = payloadPolynomials(roster, payload).map((words) => ring.load(words));
    if (!sums) {
      sums = polynomials;
      continue;
    }
    for (const [i, sum] of sums.entries()) ring.add(sum, sum, polynomials[i] as Polynomial);
    ring.release(...polynomials);
  }
  return { sums: (sums ?? []).map((sum) => ring.read(sum)), hashes: checked.map(({ hash }) => hash) };
}

function concatenate(...parts: readonly BigUint64Array[]): BigUint64Array {
  const words = new BigUint64Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    words.set(part, offset);
    offset += part.length;
  }
  return words;
}

/**
 * The collective public key (sum of b_i, a) as a blob that SEAL's `PublicKey` loads.
 *
 * @param seed the epoch's seed
 * @param messages the publicKey message of every member
 * @throws FheError CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID, naming the sender
 */
export function combinePublicKey(
  roster: Roster,
  seed: Uint8Array,
  messages: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const { sums } = sumMessages(roster, 'publicKey', messages);
  const words = concatenate(...sums, referencePolynomial(roster.set, seed, roster, publicKeyReference));
  return blob(roster, 'publicKey', buildPublicKey(roster.set, words));
}

/**
 * The collective relinearisation key, parts (sum of k_ij, h1_j), as a blob that SEAL's `RelinKeys` loads.
 *
 * @param round1 the relin1 message of every member
 * @param round2 the relin2 message of every member
 * @throws FheError CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID, naming the sender
 */
export function combineRelinKeys(
  roster: Roster,
  round1: ReadonlyMap<string, Uint8Array>,
  round2: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const first = sumMessages(roster, 'relin1', round1).sums;
  const second = sumMessages(roster, 'relin2', round2).sums;
  const parts = second.map((k, j) => concatenate(k, first[2 * j + 1] as BigUint64Array));
  return blob(roster, 'relinKeys', buildRelinKeys(roster.set, parts));
}

function blob({ set, epochId }: Roster, kind: 'publicKey' | 'relinKeys', body: Uint8Array): Uint8Array {
  return encodeBlob({ kind, parameterSetId: set.id, epochId }, body);
}
