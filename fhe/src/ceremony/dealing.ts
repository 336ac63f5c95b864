/**
 * A dealing: party i's Shamir shares of its secret, one sealed to each member. Over each data prime the secret is
 * the constant of a polynomial of degree t - 1 with uniform coefficients; member k gets the value at point k.
 * (Mouchet, Bertrand, Hubaux, "An Efficient Threshold Access-Structure for RLWE-Based Multiparty Homomorphic
 * Encryption", Journal of Cryptology 2023.)
 *
 * Payload: for each member the salted hash of its share, SHA-256(salt, share), 32 bytes; then for each member the
 * sealed (salt, share). In a dispute a dealing is opened against these hashes, and the liar is named.
 */
import { randomFillSync } from 'node:crypto';
import { canonicalJson, sha256 } from '../bytes/canonical.js';
import { bytesOf, polynomialsBelow, wordsOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { type Polynomial, type Ring } from '../ring/ring.js';
import { randomPolynomial } from '../ring/uniform.js';
import { openSealed, sealingOverhead, type SealingKeyPair, sealTo } from '../sealing/hpke.js';
import type { CheckedMessage, Roster } from './message.js';

const hashLength = 32;
const saltLength = 32;

function shareLength(set: ParameterSet): number {
  return 8 * set.dataPrimes * set.polyModulusDegree;
}

function sealedLength(set: ParameterSet): number {
  return sealingOverhead + saltLength + shareLength(set);
}

export function dealingPayloadLength(set: ParameterSet, members: number): number {
  return members * (hashLength + sealedLength(set));
}

/** What a sealed share is for: it opens for this dealer, receiver and attempt alone. */
function sealingInfo({ set, epochId, attempt }: Roster, dealer: string, receiver: string): Uint8Array {
  return new TextEncoder().encode(
    canonicalJson({
      label: 'strokeshare/fhe/dealing/v1',
      parameterSetId: set.id,
      epochId,
      attempt,
      dealer,
      receiver,
    }),
  );
}

/**
 * The values of the sharing polynomial at points 1 to n, as words over the data primes. Secret: the caller erases
 * them.
 */
export function shamirShares(
  ring: Ring,
  secret: Polynomial,
  threshold: number,
  members: number,
): BigUint64Array[] {
  const limbs = ring.set.dataPrimes;
  const coefficients = Array.from({ length: threshold - 1 }, () => {
    const words = randomPolynomial(ring.set, limbs);
    const polynomial = ring.load(words);
    words.fill(0n);
    return polynomial;
  });
  const value = ring.zero(limbs);
  const rising = [secret, ...coefficients];
  const shares = Array.from({ length: members }, (_, i) => {
    ring.subtract(value, value, value);
    for (const coefficient of rising.toReversed()) ring.horner(value, BigInt(i + 1), coefficient);
    return ring.read(value);
  });
  ring.release(value, ...coefficients);
  return shares;
}

/**
 * Seals one share to each member, in the members' order; the words are overwritten.
 *
 * @returns the payload, and the salts, which stay secret: the holders' common keys come of them
 */
export async function sealShares(
  roster: Roster,
  dealer: string,
  shares: readonly BigUint64Array[],
  sealingKeys: ReadonlyMap<string, Uint8Array>,
): Promise<{ payload: Uint8Array[]; salts: Uint8Array[] }> {
  const hashes: Uint8Array[] = [];
  const salts: Uint8Array[] = [];
  const sealed: Uint8Array[] = [];
  for (const [i, receiver] of roster.members.entries()) {
    const share = shares[i] as BigUint64Array;
    const plain = new Uint8Array(saltLength + shareLength(roster.set));
    randomFillSync(plain, 0, saltLength);
    plain.set(bytesOf(share), saltLength);
    share.fill(0n);
    hashes.push(sha256(plain));
    salts.push(plain.slice(0, saltLength));
    try {
      sealed.push(
        await sealTo(
          sealingKeys.get(receiver) ?? new Uint8Array(),
          plain,
          sealingInfo(roster, dealer, receiver),
        ),
      );
    } catch (cause) {
      throw new FheError(
        'CEREMONY_MESSAGE_INVALID',
        `The sealing key of ${receiver} is missing or not valid.`,
        {
          sender: receiver,
          cause,
        },
      );
    } finally {
      plain.fill(0);
    }
  }
  return { payload: [...hashes, ...sealed], salts };
}

/** A member's part of a dealing: secret, the receiver erases it. */
export interface OpenedShare {
  /** Over the data primes. */
  readonly words: BigUint64Array;
  readonly salt: Uint8Array;
}

/**
 * Opens the share that a checked dealing holds for a member.
 *
 * @throws FheError CEREMONY_MESSAGE_INVALID, naming the dealer
 */
export async function openDealing(
  roster: Roster,
  dealing: CheckedMessage,
  receiverIndex: number,
  keys: Pick<SealingKeyPair, 'privateKey'>,
): Promise<OpenedShare> {
  const { set, members } = roster;
  const { sender } = dealing;
  const fail = (what: string, cause?: unknown): FheError =>
    new FheError('CEREMONY_MESSAGE_INVALID', `The dealing of ${sender} ${what}.`, { sender, cause });
  const position = receiverIndex - 1;
  const length = sealedLength(set);
  const start = members.length * hashLength + position * length;
  const info = sealingInfo(roster, sender, members[position] as string);
  let plain: Uint8Array;
  try {
    plain = await openSealed(keys, dealing.payload.subarray(start, start + length), info);
  } catch (cause) {
    throw fail('does not open', cause);
  }
  try {
    const expected = dealing.payload.subarray(position * hashLength, (position + 1) * hashLength);
    if (sha256(plain).some((byte, i) => byte !== expected[i])) throw fail('does not match its salted hash');
    const words = wordsOf(plain.subarray(saltLength));
    if (!polynomialsBelow(words, set.polyModulusDegree, set.primes.slice(0, set.dataPrimes))) {
      words.fill(0n);
      throw fail('has a word that is not below its prime');
    }
    return { words, salt: plain.slice(0, saltLength) };
  } finally {
    plain.fill(0);
  }
}
