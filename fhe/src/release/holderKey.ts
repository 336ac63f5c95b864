/**
 * A holder's share of an epoch's collective secret: the sum of what the dealers sent to it, over the data primes (a
 * release happens at a data level, so the special prime is never needed). Lives in a ring of its own, whose memory is
 * overwritten on disposal.
 */
import { randomFillSync } from 'node:crypto';
import { requireEpochId } from '../bytes/blob.js';
import { fromHex, sha256, toHex } from '../bytes/canonical.js';
import { bytesOf, polynomialsBelow, wordsOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import { type ParameterSet, parameterSetById } from '../params/parameterSet.js';
import { type Polynomial, Ring } from '../ring/ring.js';
import { pairKeyLength, type PairKeys } from './zeroSharing.js';

const magic = new TextEncoder().encode('SSHK');
const version = 2;
const headerLength = 152;
const checkLength = 32;
const noiseKeyLength = 32;

export interface HolderKeyInfo {
  readonly set: ParameterSet;
  readonly epochId: string;
  /** Point of the share, 1 to n. */
  readonly index: number;
  readonly threshold: number;
  /** Number of holders, n. */
  readonly members: number;
  /** Changes with every new sharing; the attempt of the ceremony that made it. */
  readonly shareVersion: number;
}

/** What a release needs of a holder's secrets. */
export interface HolderSecrets {
  readonly ring: Ring;
  readonly share: Polynomial;
  /** Key of the flooding noise and of the privacy noise. */
  readonly noiseKey: Uint8Array;
  readonly pairKeys: PairKeys;
}

export class HolderKey implements Disposable, HolderKeyInfo {
  readonly set: ParameterSet;
  readonly epochId: string;
  readonly index: number;
  readonly threshold: number;
  readonly members: number;
  readonly shareVersion: number;
  private readonly ring: Ring;
  private readonly share: Polynomial;
  private readonly noiseKey: Uint8Array;
  private readonly pairKeys: PairKeys;
  private readonly answered = new Map<string, string>();
  private disposed = false;

  private constructor(info: HolderKeyInfo, words: BigUint64Array, noiseKey: Uint8Array, pairKeys: PairKeys) {
    const { set, index, threshold, members } = info;
    this.set = set;
    this.epochId = requireEpochId(info.epochId);
    this.index = index;
    this.threshold = threshold;
    this.members = members;
    this.shareVersion = info.shareVersion;
    const inRange = threshold >= 1 && threshold <= members && members <= 32 && index >= 1 && index <= members;
    const paired = pairKeys.length === members && pairKeys.every(({ length }) => length === pairKeyLength);
    if (!inRange || !paired || words.length !== set.dataPrimes * set.polyModulusDegree) {
      throw new FheError('HOLDER_KEY_MALFORMED', 'The share does not fit its epoch.');
    }
    this.ring = new Ring(set);
    this.share = this.ring.load(words);
    this.noiseKey = noiseKey;
    this.pairKeys = pairKeys;
  }

  /**
   * Takes over a share's words, and overwrites them, and the keys in common with the other holders (32 bytes for each
   * index, zeros for its own); the key of the noise is drawn afresh.
   *
   * @throws FheError HOLDER_KEY_MALFORMED
   */
  static fromWords(info: HolderKeyInfo, words: BigUint64Array, pairKeys: PairKeys): HolderKey {
    try {
      return new HolderKey(info, words, randomFillSync(new Uint8Array(noiseKeyLength)), pairKeys);
    } finally {
      words.fill(0n);
    }
  }

  /**
   * Work on the share inside its ring, for the release alone.
   *
   * @internal
   * @throws FheError DISPOSED
   */
  use<T>(work: (secrets: HolderSecrets) => T): T {
    this.requireOpen();
    const { ring, share, noiseKey, pairKeys } = this;
    return work({ ring, share, noiseKey, pairKeys });
  }

  /**
   * Refuses other deviations for what has been answered once: two noises on one coefficient would average out.
   *
   * @internal
   * @throws FheError RELEASE_REFUSED
   */
  rememberAnswer(context: string, deviations: string): void {
    const before = this.answered.get(context);
    if (before !== undefined && before !== deviations) {
      throw new FheError('RELEASE_REFUSED', 'This coefficient was released before, with another deviation.');
    }
    this.answered.set(context, deviations);
  }

  /**
   * The key as bytes, secret: the caller encrypts them or keeps them in a file of mode 0600.
   *
   * Magic "SSHK", version, index, n, t (one byte each), share version (u32), length of the epoch id (u32),
   * parameter set id (32), epoch id (64, zero to the end), noise key (32), 8 zero bytes, words, n keys in common with
   * the other holders (32 each), SHA-256 of all this.
   */
  export(): Uint8Array {
    this.requireOpen();
    const words = this.ring.read(this.share);
    const pairs = headerLength + 8 * words.length;
    const bytes = new Uint8Array(pairs + pairKeyLength * this.members + checkLength);
    const view = new DataView(bytes.buffer);
    bytes.set(magic);
    bytes.set([version, this.index, this.members, this.threshold], 4);
    view.setUint32(8, this.shareVersion, true);
    view.setUint32(12, this.epochId.length, true);
    bytes.set(fromHex(this.set.id), 16);
    bytes.set(new TextEncoder().encode(this.epochId), 48);
    bytes.set(this.noiseKey, 112);
    bytes.set(bytesOf(words), headerLength);
    words.fill(0n);
    for (const [i, key] of this.pairKeys.entries()) bytes.set(key, pairs + i * pairKeyLength);
    bytes.set(sha256(bytes.subarray(0, -checkLength)), bytes.length - checkLength);
    return bytes;
  }

  /**
   * Reads what {@link export} wrote.
   *
   * @throws FheError HOLDER_KEY_MALFORMED, PARAMETER_SET_UNKNOWN
   */
  static import(bytes: Uint8Array): HolderKey {
    const malformed = (what: string): FheError =>
      new FheError('HOLDER_KEY_MALFORMED', `This is no holder key: ${what}.`);
    if (bytes.length < headerLength + checkLength || magic.some((byte, i) => bytes[i] !== byte)) {
      throw malformed('the magic differs');
    }
    if (bytes[4] !== version) throw malformed('the version is not known');
    const check = sha256(bytes.subarray(0, -checkLength));
    if (check.some((byte, i) => bytes[bytes.length - checkLength + i] !== byte))
      throw malformed('it was changed');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = view.getUint32(12, true);
    if (length < 1 || length > 64) throw malformed('the epoch id is damaged');
    const set = parameterSetById(toHex(bytes.subarray(16, 48)));
    const members = view.getUint8(6);
    const pairs = headerLength + 8 * set.dataPrimes * set.polyModulusDegree;
    if (bytes.length !== pairs + pairKeyLength * members + checkLength) throw malformed('the length differs');
    const words = wordsOf(bytes.subarray(headerLength, pairs));
    const pairKeys = Array.from(
      { length: members },
      (_, i) => new Uint8Array(bytes.subarray(pairs + i * pairKeyLength, pairs + (i + 1) * pairKeyLength)),
    );
    try {
      if (!polynomialsBelow(words, set.polyModulusDegree, set.primes.slice(0, set.dataPrimes))) {
        throw malformed('a word is not below its prime');
      }
      const info: HolderKeyInfo = {
        set,
        epochId: String.fromCharCode(...bytes.subarray(48, 48 + length)),
        index: view.getUint8(5),
        members,
        threshold: view.getUint8(7),
        shareVersion: view.getUint32(8, true),
      };
      return new HolderKey(info, words, new Uint8Array(bytes.subarray(112, 112 + noiseKeyLength)), pairKeys);
    } finally {
      words.fill(0n);
    }
  }

  [Symbol.dispose](): void {
    if (this.disposed) return;
    this.disposed = true;
    this.ring[Symbol.dispose]();
    this.noiseKey.fill(0);
    for (const key of this.pairKeys) key.fill(0);
    this.answered.clear();
  }

  private requireOpen(): void {
    if (this.disposed) throw new FheError('DISPOSED', 'This holder key has been erased.');
  }
}
