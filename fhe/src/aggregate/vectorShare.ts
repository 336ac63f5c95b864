/**
 * Sums of vectors that institutions computed in plain (gradients, Hessians). They never touch the collective key: each
 * institution deals Shamir shares of its vector to the holders, holders add what they received over institutions, and
 * t of them release lambda_k times their sum to the researcher, who alone can add these up. Exact; any t colluding
 * holders can open a single institution's vector, t - 1 learn nothing of it.
 *
 * A dealt share travels sealed: {@link sealTo} of a blob of kind `vectorShare` whose body is version 1, the holder's
 * index, two zero bytes, the length (u32) and the words. A released share is the same blob.
 */
import { randomBytes } from 'node:crypto';
import { decodeBlob, encodeBlob } from '../bytes/blob.js';
import { canonicalJson, sha256Hex } from '../bytes/canonical.js';
import { bytesOf, wordsBelow, wordsOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import { vectorNoise } from '../release/flooding.js';
import type { HolderKey } from '../release/holderKey.js';
import { modulo } from '../release/rational.js';
import { lagrange, requireCommittee } from '../release/share.js';
import { zeroShare } from '../release/zeroSharing.js';
import { openSealed, type SealingKeyPair, sealTo } from '../sealing/hpke.js';
import { fieldElement, fieldPrime } from './field.js';

const version = 1;
const headerLength = 8;

/** Which sum a vector is for. */
export interface VectorContext {
  readonly parameterSetId: string;
  readonly epochId: string;
  /** The job and its vector, 1 to 200 characters. */
  readonly vectorId: string;
}

/**
 * Shamir shares of a vector at points 1 to n, uniform coefficients from the system's generator.
 *
 * @param words entries below 2^61 - 1
 * @throws FheError ARGUMENT_INVALID
 */
export function shareVector(words: BigUint64Array, threshold: number, members: number): BigUint64Array[] {
  if (threshold < 1 || threshold > members || members > 32 || !wordsBelow(words, fieldPrime)) {
    throw new FheError('ARGUMENT_INVALID', 'A vector is shared to t of at most 32 holders.');
  }
  const source = { take: (count: number): Uint8Array => new Uint8Array(randomBytes(count)) };
  const coefficients = Array.from({ length: threshold - 1 }, () =>
    Array.from(words, () => fieldElement(source)),
  );
  return Array.from({ length: members }, (_, i) => {
    const point = BigInt(i + 1);
    return words.map((word, entry) =>
      [word, ...coefficients.map((row) => row[entry] as bigint)].reduceRight(
        (value, coefficient) => (value * point + coefficient) % fieldPrime,
        0n,
      ),
    );
  });
}

/** What a dealt share is for: it opens for this vector, contributor and holder alone. */
function sealingInfo(context: VectorContext, contributor: string, index: number): Uint8Array {
  const { parameterSetId, epochId, vectorId } = context;
  return new TextEncoder().encode(
    canonicalJson({
      label: 'strokeshare/fhe/vector-share/v1',
      parameterSetId,
      epochId,
      vectorId,
      contributor,
      index,
    }),
  );
}

function encodeVectorShare(
  { parameterSetId, epochId }: Omit<VectorContext, 'vectorId'>,
  index: number,
  words: BigUint64Array,
): Uint8Array {
  const body = new Uint8Array(headerLength + words.byteLength);
  body.set([version, index]);
  new DataView(body.buffer).setUint32(4, words.length, true);
  body.set(bytesOf(words), headerLength);
  return encodeBlob({ kind: 'vectorShare', parameterSetId, epochId }, body);
}

/** @throws FheError SHARE_MALFORMED, BLOB_MALFORMED, EPOCH_MISMATCH, PARAMETER_SET_MISMATCH */
function decodeVectorShare(
  { parameterSetId, epochId }: Omit<VectorContext, 'vectorId'>,
  blob: Uint8Array,
  length: number,
): { index: number; words: BigUint64Array } {
  const body = decodeBlob(blob, { kind: 'vectorShare', parameterSetId, epochId });
  const malformed = (what: string): FheError =>
    new FheError('SHARE_MALFORMED', `This is no share of a vector: ${what}.`);
  if (body.length !== headerLength + 8 * length) throw malformed('the length differs');
  const stated = new DataView(body.buffer, body.byteOffset).getUint32(4, true);
  if (body[0] !== version || body[2] !== 0 || body[3] !== 0 || stated !== length) {
    throw malformed('the header differs');
  }
  const words = wordsOf(body.subarray(headerLength));
  if (!wordsBelow(words, fieldPrime)) throw malformed('an entry is not below 2^61 - 1');
  return { index: body[1] ?? 0, words };
}

/**
 * Deals a vector: one sealed share for each holder, by index.
 *
 * @param words from {@link encodeVector}
 * @param holders sealing public keys, in the order of the holders' indexes
 * @throws FheError ARGUMENT_INVALID, SEALING_KEY_INVALID
 */
export async function dealVector(
  context: VectorContext,
  contributor: string,
  words: BigUint64Array,
  threshold: number,
  holders: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const shares = shareVector(words, threshold, holders.length);
  return Promise.all(
    holders.map(async (publicKey, i) => {
      const share = shares[i] as BigUint64Array;
      const plain = encodeVectorShare(context, i + 1, share);
      try {
        return await sealTo(publicKey, plain, sealingInfo(context, contributor, i + 1));
      } finally {
        share.fill(0n);
        plain.fill(0);
      }
    }),
  );
}

/**
 * Opens what a contributor dealt to a holder.
 *
 * @param length entries of the vector
 * @throws FheError SEALED_MESSAGE_INVALID, SHARE_MALFORMED and those of a blob
 */
export async function openVectorShare(
  context: VectorContext,
  contributor: string,
  holder: { readonly index: number; readonly keys: Pick<SealingKeyPair, 'privateKey'> },
  sealed: Uint8Array,
  length: number,
): Promise<BigUint64Array> {
  const plain = await openSealed(holder.keys, sealed, sealingInfo(context, contributor, holder.index));
  try {
    const { index, words } = decodeVectorShare(context, plain, length);
    if (index !== holder.index) throw new FheError('SHARE_MALFORMED', "This is another holder's share.");
    return words;
  } finally {
    plain.fill(0);
  }
}

/** Adds shares, or vectors, entry by entry. */
export function addVectors(vectors: readonly BigUint64Array[]): BigUint64Array {
  const [first, ...rest] = vectors;
  if (!first || rest.some(({ length }) => length !== first.length)) {
    throw new FheError('ARGUMENT_INVALID', 'Vectors of one length are added.');
  }
  return first.map((word, i) =>
    rest.reduce((sum, vector) => (sum + (vector[i] as bigint)) % fieldPrime, word),
  );
}

export interface VectorReleaseRequest {
  readonly vectorId: string;
  /** Sum of the shares that this holder opened. */
  readonly sum: BigUint64Array;
  /** Hex SHA-256 that names the sealed shares of all contributors, the same for every holder of the committee. */
  readonly inputs: string;
  /** Indexes of exactly t holders, ascending, this one among them. */
  readonly committee: readonly number[];
  /** Deviation of the privacy noise in fixed-point units, where it is agreed. */
  readonly privacySigma?: bigint;
}

/**
 * A holder's share of a sum of vectors, a blob to be sealed to the researcher. The same request gives the same bytes.
 *
 * @throws FheError COMMITTEE_INVALID, RELEASE_REFUSED for a privacy noise that could overflow, DISPOSED
 */
export function releaseVectorShare(key: HolderKey, request: VectorReleaseRequest): Uint8Array {
  const { vectorId, sum, inputs, committee, privacySigma } = request;
  requireCommittee(key, committee);
  if (privacySigma !== undefined && (privacySigma < 1n || privacySigma << 12n > fieldPrime)) {
    throw new FheError('RELEASE_REFUSED', 'The deviation of the privacy noise does not fit the field.');
  }
  const common = {
    vectorId,
    inputs,
    epochId: key.epochId,
    shareVersion: key.shareVersion,
    committee: [...committee],
    length: sum.length,
    privacySigma: privacySigma === undefined ? null : String(privacySigma),
  };
  const factor = lagrange(committee, key.index, fieldPrime);
  return key.use(({ noiseKey, pairKeys }) => {
    const moduli = new Array<bigint>(sum.length).fill(fieldPrime);
    const zero = zeroShare(pairKeys, key.index, committee, common, moduli);
    const noise =
      privacySigma === undefined
        ? undefined
        : vectorNoise(noiseKey, { ...common, sum: sha256Hex(bytesOf(sum)) }, privacySigma, sum.length);
    const words = sum.map((word, i) =>
      modulo(word * factor + (zero[i] as bigint) + (noise?.[i] ?? 0n), fieldPrime),
    );
    return encodeVectorShare({ parameterSetId: key.set.id, epochId: key.epochId }, key.index, words);
  });
}

/**
 * The sum from the shares of one whole committee.
 *
 * @param length entries of the vector
 * @returns fixed-point words for {@link decodeVector}
 * @throws FheError COMMITTEE_INVALID, SHARE_MALFORMED and those of a blob
 */
export function combineVectorShares(
  epoch: Omit<VectorContext, 'vectorId'>,
  committee: readonly number[],
  shares: readonly Uint8Array[],
  length: number,
): BigUint64Array {
  const decoded = shares.map((blob) => decodeVectorShare(epoch, blob, length));
  const indexes = decoded.map(({ index }) => index).sort((a, b) => a - b);
  if (indexes.length === 0 || indexes.join() !== committee.join()) {
    throw new FheError('COMMITTEE_INVALID', 'The shares are not those of the committee.');
  }
  return addVectors(decoded.map(({ words }) => words));
}
