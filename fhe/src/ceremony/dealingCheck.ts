/**
 * The dealing check, before an epoch is active. From the hash of all dealings everybody expands small u, e0, e1. Under
 * dealer i's secret the pair (b_i u + e0, a u + e1) decrypts to e_i u + e0 + e1 s_i, which is small; with shares of
 * anything but one polynomial whose value at 0 is s_i it is uniform. Its constant coefficient is released with
 * dealer i's shares by every window of t holders (windows.ts), flooded as every release.
 *
 * A check message: for each dealer in the members' order, for each of its windows that the sender belongs to, the
 * sender's share: one word for each data prime.
 *
 * A dealer that cheats alone is found. One whose accomplices stand in every window of its victim is not: they can
 * cancel the difference. Its epoch then releases nonsense by some committees, which names it (release/committee.ts).
 */
import { randomFillSync } from 'node:crypto';
import { sha256 } from '../bytes/canonical.js';
import { bytesOf } from '../bytes/words.js';
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { ceilDiv, ceilSqrt } from '../plan/integers.js';
import { combineShares } from '../release/combine.js';
import { xofStream } from '../release/flooding.js';
import { discreteGaussian } from '../release/gaussian.js';
import { inverseModulo, modulo } from '../release/rational.js';
import { lagrangeShare } from '../release/share.js';
import { type PairKeys, zeroShare } from '../release/zeroSharing.js';
import { type Polynomial, Ring } from '../ring/ring.js';
import { centredBinomialFrom, ternaryFrom } from '../ring/small.js';
import { transformSmall } from '../ring/transform.js';
import { referencePolynomial } from '../ring/uniform.js';
import { publicKeyReference } from './collectiveKeys.js';
import { checkMessages, payloadPolynomials, type Roster } from './message.js';
import { windows, windowsOf } from './windows.js';

type Messages = ReadonlyMap<string, Uint8Array>;

/** The pair that is decrypted, the same for all dealers but for b_i. */
export interface Challenge {
  /** Names it: SHA-256 over the dealings' hashes. */
  readonly id: Uint8Array;
  /** u, and a u + e1, over the data primes. */
  readonly u: BigUint64Array;
  readonly c1: BigUint64Array;
  /** Constant coefficient of e0. */
  readonly e0: bigint;
}

/**
 * Expands the challenge: SHAKE-256 of SHA-256("strokeshare/fhe/dealing-check/v1", zero byte, parameter set id, the
 * dealings' hashes in the members' order, all in lower-case hexadecimal) gives ternary u, then centred binomial e1,
 * then centred binomial e0, as ring/small.ts draws them.
 */
export function challengeOf(roster: Roster, seed: Uint8Array, dealingHashes: readonly string[]): Challenge {
  const { set } = roster;
  const degree = set.polyModulusDegree;
  const limbs = set.dataPrimes;
  const id = sha256('strokeshare/fhe/dealing-check/v1\0', set.id, ...dealingHashes);
  const stream = xofStream(id);
  const u = transformSmall(set, ternaryFrom(stream, degree), limbs);
  const e1 = transformSmall(set, centredBinomialFrom(stream, degree), limbs);
  const e0 = BigInt(centredBinomialFrom(stream, degree)[0] as number);
  using ring = new Ring(set);
  const c1 = ring.load(e1);
  const a = referencePolynomial(set, seed, roster, publicKeyReference).subarray(0, limbs * degree);
  ring.multiplyAdd(c1, ring.load(a), ring.load(u));
  return { id, u, c1: ring.read(c1), e0 };
}

/**
 * A bound on |e_i u + e0 + e1 s_i| in one coefficient: 9.2 deviations, the errors' variance being 21/2 and the
 * ternary polynomials' 2/3.
 */
export function checkBound({ polyModulusDegree }: ParameterSet): bigint {
  const variance = 14n * BigInt(polyModulusDegree) + 11n;
  return ceilDiv(92n * ceilSqrt(variance), 10n);
}

/** Deviation of the flooding noise of a check share, by the rule of every release. */
export function checkSigma(set: ParameterSet): bigint {
  const { s, tauLog2 } = set.smudging;
  return ceilSqrt((12n * checkBound(set) ** 2n) << BigInt(s + tauLog2));
}

/** What the members of a window derive their shares of zero from. */
export function checkRequest({ id }: Challenge, dealer: string, window: readonly number[]) {
  return { label: 'strokeshare/fhe/dealing-check/v1', id: Buffer.from(id).toString('hex'), dealer, window };
}

export interface CheckShareInput {
  readonly roster: Roster;
  readonly index: number;
  readonly challenge: Challenge;
  /** By dealer. */
  readonly shares: readonly Polynomial[];
  readonly pairKeys: PairKeys;
}

/** The payload of a holder's check message; fresh noise, so that it is made once. */
export function checkPayload(ring: Ring, input: CheckShareInput): Uint8Array[] {
  const { roster, index, challenge, shares, pairKeys } = input;
  const { set } = roster;
  const moduli = set.primes.slice(0, set.dataPrimes);
  const sigma = checkSigma(set);
  const noiseSeed = randomFillSync(new Uint8Array(32));
  const stream = xofStream(noiseSeed);
  const c1 = ring.load(challenge.c1);
  try {
    return roster.members.flatMap((dealer, i) =>
      windowsOf(roster, i + 1, index).map((committee) => {
        const noise = discreteGaussian(stream, sigma);
        const zero = zeroShare(
          pairKeys,
          index,
          committee,
          checkRequest(challenge, dealer, committee),
          moduli,
        );
        const share = lagrangeShare(ring, {
          c1,
          share: shares[i] as Polynomial,
          committee,
          index,
          primes: moduli.length,
          coefficient: 0,
        });
        const words = share.map((word, limb) =>
          modulo(word + (zero[limb] as bigint) + noise, moduli[limb] as bigint),
        );
        return bytesOf(BigUint64Array.from(words));
      }),
    );
  } finally {
    noiseSeed.fill(0);
    ring.release(c1);
  }
}

/** A holder's share as its check message gives it, by the dealer's index and one of the windows. */
export function checkShareAt(
  roster: Roster,
  payload: Uint8Array,
  index: number,
  dealer: number,
  window: readonly number[],
): Uint8Array {
  const length = 8 * roster.set.dataPrimes;
  let before = 0;
  for (let other = 1; other < dealer; other++) before += windowsOf(roster, other, index).length;
  const own = windowsOf(roster, dealer, index).map(String);
  const start = (before + own.indexOf(String(window))) * length;
  return payload.subarray(start, start + length);
}

/** N^-1 times the sum of b_i u, plus e0's constant coefficient, for each data prime. */
export function constantOfC0(ring: Ring, roster: Roster, challenge: Challenge, b: BigUint64Array): bigint[] {
  const { set } = roster;
  const degree = set.polyModulusDegree;
  const [left, right] = [ring.load(b.subarray(0, set.dataPrimes * degree)), ring.load(challenge.u)];
  const values = set.primes.slice(0, set.dataPrimes).map((prime, limb) => {
    const sum = BigInt.asUintN(64, ring.dot(left, right, limb, 0, degree));
    return modulo(sum * inverseModulo(BigInt(degree), prime) + challenge.e0, prime);
  });
  ring.release(left, right);
  return values;
}

/** One released value of the check. */
export interface CheckResult {
  readonly dealer: string;
  readonly window: readonly number[];
  /** Centred modulo the product of the data primes. */
  readonly residue: bigint;
  readonly isPlausible: boolean;
}

export interface CheckMessages {
  readonly publicKeys: Messages;
  readonly dealings: Messages;
  readonly checks: Messages;
}

/**
 * All released values of the check, from public messages alone: everybody comes to the same.
 *
 * Not plausible is a value above 8 sigma sqrt(t): an honest one is so with probability below 2^-49.
 *
 * @throws FheError CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID, naming the sender
 */
export function checkResults(roster: Roster, seed: Uint8Array, messages: CheckMessages): CheckResult[] {
  const { set, members, threshold } = roster;
  const dealings = checkMessages(roster, 'dealing', messages.dealings);
  const publicKeys = checkMessages(roster, 'publicKey', messages.publicKeys);
  const checks = checkMessages(roster, 'dealingCheck', messages.checks);
  const challenge = challengeOf(
    roster,
    seed,
    dealings.map(({ hash }) => hash),
  );
  const sigma = checkSigma(set);
  const limit = 64n * sigma * sigma * BigInt(threshold);
  using ring = new Ring(set);
  return members.flatMap((dealer, i) => {
    const [b] = payloadPolynomials(roster, publicKeys[i]?.payload ?? new Uint8Array());
    const c0 = bytesOf(BigUint64Array.from(constantOfC0(ring, roster, challenge, b ?? new BigUint64Array())));
    return windows(roster, i + 1).map((window) => {
      const shares = new Map(
        window.map((index) => {
          const payload = checks[index - 1]?.payload ?? new Uint8Array();
          return [index, checkShareAt(roster, payload, index, i + 1, window)];
        }),
      );
      const residue = combineShares(set, { c0, shares });
      return { dealer, window, residue, isPlausible: residue * residue <= limit };
    });
  });
}

/**
 * Refuses dealings that the check does not bear out.
 *
 * @throws FheError DEALINGS_DISPUTED, and those of {@link checkResults}
 */
export function requireSoundDealings(roster: Roster, seed: Uint8Array, messages: CheckMessages): void {
  const disputed = checkResults(roster, seed, messages).filter(({ isPlausible }) => !isPlausible);
  if (disputed.length === 0) return;
  const dealers = [...new Set(disputed.map(({ dealer }) => dealer))];
  throw new FheError(
    'DEALINGS_DISPUTED',
    `The dealings of ${dealers.join(', ')} fail their check; every member discloses its sealing key, and the attempt ends.`,
  );
}
