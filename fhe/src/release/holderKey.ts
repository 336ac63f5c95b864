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

const magic = new TextEncoder().encode('SSHK');
const version = 1;
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
  private readonly answered = new Map<string, bigint>();
  private disposed = false;

  private constructor(info: HolderKeyInfo, words: BigUint64Array, noiseKey: Uint8Array) {
    const { set, index, threshold, members } = info;
    this.set = set;
    this.epochId = requireEpochId(info.epochId);
    this.index = index;
    this.threshold = threshold;
    this.members = members;
    this.shareVersion = info.shareVersion;
    const inRange = threshold >= 1 && threshold <= members && members <= 32 && index >= 1 && index <= members;
    if (!inRange || words.length !== set.dataPrimes * set.polyModulusDegree) {
      throw new FheError('HOLDER_KEY_MALFORMED', 'The share does not fit its epoch.');
    }
    this.ring = new Ring(set);
    this.share = this.ring.load(words);
    this.noiseKey = noiseKey;
  }

  /** Takes over a share's words, and overwrites them; the key of the flooding noise is drawn afresh. */
  static fromWords(info: HolderKeyInfo, words: BigUint64Array): HolderKey {
    try {
      return new HolderKey(info, words, randomFillSync(new Uint8Array(noiseKeyLength)));
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
  use<T>(work: (ring: Ring, share: Polynomial, noiseKey: Uint8Array) => T): T {
    this.requireOpen();
    return work(this.ring, this.share, this.noiseKey);
  }

  /**
   * Refuses a second deviation for what has been answered once: two noises on one coefficient would average out.
   *
   * @internal
   * @throws FheError RELEASE_REFUSED
   */
  rememberAnswer(context: string, sigma: bigint): void {
    const before = this.answered.get(context);
    if (before !== undefined && before !== sigma) {
      throw new FheError('RELEASE_REFUSED', 'This coefficient was released before, with another deviation.');
    }
    this.answered.set(context, sigma);
  }

  /**
   * The key as bytes, secret: the caller encrypts them or keeps them in a file of mode 0600.
   *
   * Magic "SSHK", version, index, n, t (one byte each), share version (u32), length of the epoch id (u32),
   * parameter set id (32), epoch id (64, zero to the end), flooding key (32), 8 zero bytes, words, SHA-256 of all
   * this.
   */
  export(): Uint8Array {
    this.requireOpen();
    const words = this.ring.read(this.share);
    const bytes = new Uint8Array(headerLength + 8 * words.length + checkLength);
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
    const body = bytes.subarray(headerLength, -checkLength);
    if (body.length !== 8 * set.dataPrimes * set.polyModulusDegree) throw malformed('the length differs');
    const words = wordsOf(body);
    try {
      if (!polynomialsBelow(words, set.polyModulusDegree, set.primes.slice(0, set.dataPrimes))) {
        throw malformed('a word is not below its prime');
      }
      const info: HolderKeyInfo = {
        set,
        epochId: String.fromCharCode(...bytes.subarray(48, 48 + length)),
        index: view.getUint8(5),
        members: view.getUint8(6),
        threshold: view.getUint8(7),
        shareVersion: view.getUint32(8, true),
      };
      return new HolderKey(info, words, new Uint8Array(bytes.subarray(112, 112 + noiseKeyLength)));
    } finally {
      words.fill(0n);
    }
  }

  [Symbol.dispose](): void {
    if (this.disposed) return;
    this.disposed = true;
    this.ring[Symbol.dispose]();
    this.noiseKey.fill(0);
    this.answered.clear();
  }

  private requireOpen(): void {
    if (this.disposed) throw new FheError('DISPOSED', 'This holder key has been erased.');
  }
}
