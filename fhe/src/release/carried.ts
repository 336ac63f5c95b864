/**
 * A share as it is carried: a blob of kind `share`, so that parameter set and epoch stand in its header, and what it
 * is a share of in its body. Shares of different epochs, sets, committees or coefficients are refused, never added.
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | index of the holder |
 * | 2 | 1 | coefficient: 0, or 1 for N/2 |
 * | 3 | 1 | primes |
 * | 4 | 4 | committee: bit k - 1 stands for holder k (u32) |
 * | 8 | 32 | SHA-256 of c1's words at the release level |
 * | 40 | | the share, 8 bytes for each prime |
 */
import { decodeBlob, encodeBlob } from '../bytes/blob.js';
import { fromHex, sha256Hex, toHex } from '../bytes/canonical.js';
import { parseCiphertext } from '../bytes/seal.js';
import { bytesOf, polynomialsBelow, wordsOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { combineShares } from './combine.js';
import type { HolderKey } from './holderKey.js';
import { type Coefficient, releaseShare, type ReleaseRequest, sumOfC0 } from './share.js';

const version = 1;
const headerLength = 40;

export interface CarriedShare {
  readonly index: number;
  readonly committee: readonly number[];
  readonly coefficient: Coefficient;
  /** Hex SHA-256 of c1's words. */
  readonly c1: string;
  readonly share: Uint8Array;
}

interface Epoch {
  readonly set: ParameterSet;
  readonly epochId: string;
}

/** Hex SHA-256 of a size-2 ciphertext's second polynomial. */
function hashOfC1(body: Uint8Array, set: ParameterSet): string {
  const { words } = parseCiphertext(body, set);
  return sha256Hex(bytesOf(words.subarray(words.length / 2)));
}

export function encodeShare({ set, epochId }: Epoch, carried: CarriedShare): Uint8Array {
  const { index, committee, coefficient, c1, share } = carried;
  const body = new Uint8Array(headerLength + share.length);
  body.set([version, index, coefficient === 0 ? 0 : 1, share.length / 8]);
  const bits = committee.reduce((all, member) => all + 2 ** (member - 1), 0);
  new DataView(body.buffer).setUint32(4, bits, true);
  body.set(fromHex(c1), 8);
  body.set(share, headerLength);
  return encodeBlob({ kind: 'share', parameterSetId: set.id, epochId }, body);
}

/** @throws FheError SHARE_MALFORMED, PARAMETER_SET_MISMATCH, EPOCH_MISMATCH, BLOB_MALFORMED */
export function decodeShare({ set, epochId }: Epoch, blob: Uint8Array): CarriedShare {
  const body = decodeBlob(blob, { kind: 'share', parameterSetId: set.id, epochId });
  const malformed = (what: string): FheError => new FheError('SHARE_MALFORMED', `This is no share: ${what}.`);
  if (body.length < headerLength || body[0] !== version) throw malformed('the version is not known');
  const [, index = 0, coefficient = 0, primes = 0] = body;
  if (coefficient > 1) throw malformed('there is no such coefficient');
  if (primes < 1 || primes > set.dataPrimes || body.length !== headerLength + 8 * primes) {
    throw malformed('the length differs');
  }
  const share = new Uint8Array(body.subarray(headerLength));
  if (!polynomialsBelow(wordsOf(share), 1, set.primes.slice(0, primes))) {
    throw malformed('a word is not below its prime');
  }
  const bits = new DataView(body.buffer, body.byteOffset).getUint32(4, true);
  const committee = Array.from({ length: 32 }, (_, i) => i + 1).filter((k) => (bits >>> (k - 1)) & 1);
  if (!committee.includes(index)) throw malformed('its holder is not in its committee');
  return {
    index,
    committee,
    coefficient: coefficient === 0 ? 0 : 'half',
    c1: toHex(body.subarray(8, headerLength)),
    share,
  };
}

export interface CarriedRequest extends Omit<ReleaseRequest, 'ciphertext'> {
  /** A ciphertext blob of the key's epoch and parameter set. */
  readonly ciphertext: Uint8Array;
}

/**
 * {@link releaseShare} between blobs.
 *
 * @throws FheError EPOCH_MISMATCH, PARAMETER_SET_MISMATCH, BLOB_MALFORMED and those of releaseShare
 */
export function releaseCarriedShare(key: HolderKey, request: CarriedRequest): Uint8Array {
  const header = { kind: 'ciphertext', parameterSetId: key.set.id, epochId: key.epochId } as const;
  const ciphertext = decodeBlob(request.ciphertext, header);
  const { committee, coefficient = 0 } = request;
  return encodeShare(key, {
    index: key.index,
    committee,
    coefficient,
    c1: hashOfC1(ciphertext, key.set),
    share: releaseShare(key, { ...request, ciphertext }),
  });
}

/**
 * {@link combineShares} between blobs: the shares of one whole committee, of this ciphertext and coefficient.
 *
 * @throws FheError SHARE_MALFORMED, COMMITTEE_INVALID, and those of {@link decodeShare}
 */
export function combineCarriedShares(
  epoch: Epoch,
  request: {
    readonly ciphertext: Uint8Array;
    readonly coefficient?: Coefficient;
    readonly shares: readonly Uint8Array[];
  },
): bigint {
  const { set, epochId } = epoch;
  const { coefficient = 0 } = request;
  const body = decodeBlob(request.ciphertext, { kind: 'ciphertext', parameterSetId: set.id, epochId });
  const decoded = request.shares.map((blob) => decodeShare(epoch, blob));
  const c1 = hashOfC1(body, set);
  const committee = decoded[0]?.committee ?? [];
  for (const share of decoded) {
    if (share.c1 !== c1 || share.coefficient !== coefficient) {
      throw new FheError('SHARE_MALFORMED', `The share of holder ${share.index} is one of something else.`);
    }
    if (share.committee.join() !== committee.join()) {
      throw new FheError('COMMITTEE_INVALID', 'The shares were made for different committees.');
    }
  }
  const shares = new Map(decoded.map(({ index, share }) => [index, share]));
  if (shares.size !== committee.length || decoded.length !== committee.length) {
    throw new FheError('COMMITTEE_INVALID', 'The shares are not those of one whole committee.');
  }
  return combineShares(set, { c0: sumOfC0(body, set, coefficient), shares });
}
