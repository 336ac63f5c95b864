/**
 * Who lied, once dealings are disputed. The attempt is lost: nothing was encrypted under its key, and all its secrets
 * are dropped. So every member discloses the sealing private key of the attempt (its payload, 32 bytes), which opens
 * the shares that were dealt to it for everybody, and the salted hashes bind the dealers to what they sealed.
 */
import { FheError } from '../errors.js';
import { liftCentred } from '../release/combine.js';
import { inverseModulo, modulo } from '../release/rational.js';
import { lagrangeShare } from '../release/share.js';
import { pairKey, pairKeyLength, zeroShare } from '../release/zeroSharing.js';
import { type Polynomial, Ring } from '../ring/ring.js';
import { wordsOf } from '../bytes/words.js';
import { openSealed, sealTo } from '../sealing/hpke.js';
import {
  challengeOf,
  checkBound,
  checkRequest,
  checkShareAt,
  checkSigma,
  constantOfC0,
} from './dealingCheck.js';
import { openDealing, type OpenedShare } from './dealing.js';
import { checkMessage, checkMessages, payloadPolynomials, type Roster } from './message.js';
import { pairContext } from './received.js';
import { windowsOf } from './windows.js';

type Messages = ReadonlyMap<string, Uint8Array>;

export interface DisputeEvidence {
  readonly seed: Uint8Array;
  readonly publicKeys: Messages;
  /** Sealing public keys, as published with the seed. */
  readonly sealingKeys: Messages;
  readonly dealings: Messages;
  /** Left out where a member could not open its share, and so made no check. */
  readonly checks?: Messages;
  readonly disclosures: Messages;
}

export type Offence =
  /** Its disclosure is missing, malformed or not the key of the attempt. */
  | 'key withheld'
  /** A share that it sealed does not open, does not match its salted hash, or is out of range. */
  | 'share not as committed'
  /** Its shares lie on no polynomial of degree t - 1. */
  | 'shares inconsistent'
  /** Its shares are of another secret than its part of the public key. */
  | 'other secret shared'
  /** Its check message is not what its shares give. */
  | 'check falsified';

export interface Verdict {
  readonly member: string;
  readonly offence: Offence;
}

/**
 * Judges disputed dealings from public messages alone. An empty result means that nobody can be named: a value came
 * close to the bound by chance or by many small deviations, and the attempt is repeated.
 *
 * @throws FheError CEREMONY_MESSAGE_MISSING, CEREMONY_MESSAGE_INVALID for evidence other than the disclosures
 */
export async function judgeDealings(roster: Roster, evidence: DisputeEvidence): Promise<Verdict[]> {
  const { set, members } = roster;
  const dealings = checkMessages(roster, 'dealing', evidence.dealings);
  const publicKeys = checkMessages(roster, 'publicKey', evidence.publicKeys);
  const checks = evidence.checks ? checkMessages(roster, 'dealingCheck', evidence.checks) : [];
  const challenge = challengeOf(
    roster,
    evidence.seed,
    dealings.map(({ hash }) => hash),
  );
  const verdicts: Verdict[] = [];
  const keys = await Promise.all(members.map((member) => disclosedKey(roster, evidence, member)));
  for (const [k, key] of keys.entries()) {
    if (!key) verdicts.push({ member: members[k] as string, offence: 'key withheld' });
  }
  const salts = members.map(() => new Map<number, Uint8Array>());
  using ring = new Ring(set);
  const c1 = ring.load(challenge.c1);
  const sound = new Map<number, ReadonlyMap<number, Polynomial>>();
  for (const [i, dealing] of dealings.entries()) {
    const shares = new Map<number, Polynomial>();
    let offence: Offence | undefined;
    for (const [k, privateKey] of keys.entries()) {
      if (!privateKey) continue;
      const opened = await opening(openDealing(roster, dealing, k + 1, { privateKey }));
      if (!opened) offence = 'share not as committed';
      else {
        shares.set(k + 1, ring.load(opened.words));
        salts[i]?.set(k, opened.salt);
      }
    }
    offence ??= offenceOf(ring, roster, shares, c1, () => {
      const [b] = payloadPolynomials(roster, publicKeys[i]?.payload ?? new Uint8Array());
      return constantOfC0(ring, roster, challenge, b ?? new BigUint64Array());
    });
    if (offence) {
      verdicts.push({ member: dealing.sender, offence });
      ring.release(...shares.values());
    } else sound.set(i, shares);
  }
  if (salts.some((row) => row.size < members.length)) return verdicts;
  const sigma = checkSigma(set);
  const moduli = set.primes.slice(0, set.dataPrimes);
  for (const [k, { sender: holder, payload }] of checks.entries()) {
    const index = k + 1;
    const pairKeys = members.map((_, i) =>
      i === k
        ? new Uint8Array(pairKeyLength)
        : pairKey(
            pairContext(roster),
            { index, salt: salts[k]?.get(i) as Uint8Array },
            { index: i + 1, salt: salts[i]?.get(k) as Uint8Array },
          ),
    );
    const isHonest = [...sound].every(([i, shares]) =>
      windowsOf(roster, i + 1, index).every((committee) => {
        const request = checkRequest(challenge, members[i] as string, committee);
        const zero = zeroShare(pairKeys, index, committee, request, moduli);
        const share = shares.get(index) as Polynomial;
        const exact = lagrangeShare(ring, {
          c1,
          share,
          committee,
          index,
          primes: moduli.length,
          coefficient: 0,
        });
        const given = wordsOf(checkShareAt(roster, payload, index, i + 1, committee));
        const noise = liftCentred(
          moduli.map((_, limb) => (given[limb] as bigint) - (exact[limb] as bigint) - (zero[limb] as bigint)),
          moduli,
        );
        return noise * noise <= 64n * sigma * sigma;
      }),
    );
    if (!isHonest) verdicts.push({ member: holder, offence: 'check falsified' });
  }
  return verdicts;
}

/** A disclosed key that opens what is sealed to the published one. */
async function disclosedKey(
  roster: Roster,
  { disclosures, sealingKeys }: DisputeEvidence,
  member: string,
): Promise<Uint8Array | undefined> {
  const blob = disclosures.get(member);
  const publicKey = sealingKeys.get(member);
  if (!blob || !publicKey) return undefined;
  const info = new TextEncoder().encode('strokeshare/fhe/disclosure/v1');
  try {
    const privateKey = new Uint8Array(checkMessage(roster, 'disclosure', member, blob).payload);
    await openSealed({ privateKey }, await sealTo(publicKey, info, info), info);
    return privateKey;
  } catch (error) {
    if (error instanceof FheError) return undefined;
    throw error;
  }
}

async function opening(share: Promise<OpenedShare>): Promise<OpenedShare | undefined> {
  try {
    return await share;
  } catch (error) {
    if (error instanceof FheError && error.code === 'CEREMONY_MESSAGE_INVALID') return undefined;
    throw error;
  }
}

/** What is wrong with opened shares: off the polynomial, or not of the secret behind the dealer's public key. */
function offenceOf(
  ring: Ring,
  { set, threshold }: Roster,
  shares: ReadonlyMap<number, Polynomial>,
  c1: Polynomial,
  constantC0: () => bigint[],
): Offence | undefined {
  const indexes = [...shares.keys()];
  if (indexes.length < threshold) return undefined;
  const base = indexes.slice(0, threshold);
  const moduli = set.primes.slice(0, set.dataPrimes);
  const scratch = ring.zero(moduli.length);
  const interpolate = (point: number): void => {
    ring.subtract(scratch, scratch, scratch);
    for (const index of base) {
      for (const [limb, prime] of moduli.entries()) {
        const factor = lagrangeAt(base, index, point, prime);
        ring.scaleAddLimb(scratch, shares.get(index) as Polynomial, factor, limb);
      }
    }
  };
  try {
    for (const point of indexes.slice(threshold)) {
      interpolate(point);
      ring.subtract(scratch, scratch, shares.get(point) as Polynomial);
      if (ring.read(scratch).some((word) => word !== 0n)) return 'shares inconsistent';
    }
    interpolate(0);
    const whole = { committee: [1], index: 1, primes: moduli.length, coefficient: 0 } as const;
    const product = lagrangeShare(ring, { c1, share: scratch, ...whole });
    const c0 = constantC0();
    const value = liftCentred(
      moduli.map((_, limb) => (c0[limb] as bigint) + (product[limb] as bigint)),
      moduli,
    );
    return value * value > checkBound(set) ** 2n ? 'other secret shared' : undefined;
  } finally {
    ring.release(scratch);
  }
}

/** Lagrange factor of an index at any point: the product of (point - m) / (index - m) over the other m. */
function lagrangeAt(base: readonly number[], index: number, point: number, prime: bigint): bigint {
  let numerator = 1n;
  let denominator = 1n;
  for (const other of base) {
    if (other === index) continue;
    numerator = modulo(numerator * BigInt(point - other), prime);
    denominator = modulo(denominator * BigInt(index - other), prime);
  }
  return (numerator * inverseModulo(denominator, prime)) % prime;
}
