/** Whole ceremonies inside one process, for tests. */
import { epochSeed } from '../src/ceremony/commitment.js';
import { KeyCeremony } from '../src/ceremony/keyCeremony.js';
import type { Roster } from '../src/ceremony/message.js';
import type { ParameterSet } from '../src/params/parameterSet.js';
import type { HolderKey } from '../src/release/holderKey.js';
import { cellValue, combineShares } from '../src/release/combine.js';
import { type Coefficient, lagrange, releaseShare, sumOfC0 } from '../src/release/share.js';
import { wordsOf } from '../src/bytes/words.js';

export const epochId = 'test-epoch';
export const attempt = 0;

export const memberNames = (n: number): string[] =>
  Array.from({ length: n }, (_, i) => `Hospital${i + 1}MSP`);

/** One party for each member, at the start. */
export async function parties(
  set: ParameterSet,
  n: number,
  threshold: number,
): Promise<Map<string, KeyCeremony>> {
  const members = memberNames(n);
  const made = new Map<string, KeyCeremony>();
  for (const self of members) {
    made.set(self, await KeyCeremony.create({ set, epochId, attempt, members, self, threshold }));
  }
  return made;
}

/** What every party answers to one step. */
export function ask<T>(
  ceremony: ReadonlyMap<string, KeyCeremony>,
  step: (party: KeyCeremony) => T,
): Map<string, T> {
  return new Map(Array.from(ceremony, ([name, party]) => [name, step(party)]));
}

export function seedOf(ceremony: ReadonlyMap<string, KeyCeremony>): Uint8Array {
  return epochSeed(
    Array.from(ceremony, ([sender, party]) => ({ sender, contribution: party.seedContribution() })),
  );
}

export interface CeremonyResult {
  /** Blobs. */
  readonly publicKey: Uint8Array;
  readonly relinKeys: Uint8Array;
  readonly keys: HolderKey[];
  /** Hashes-to-be-compared of every party's own combination. */
  readonly combined: Uint8Array[];
}

/** All messages of an attempt up to the dealings, which every party has made. */
export interface DealtCeremony {
  readonly parties: Map<string, KeyCeremony>;
  readonly seed: Uint8Array;
  readonly publicKeys: Map<string, Uint8Array>;
  readonly round1: Map<string, Uint8Array>;
  readonly round2: Map<string, Uint8Array>;
  readonly sealingKeys: Map<string, Uint8Array>;
  readonly dealings: Map<string, Uint8Array>;
}

export async function dealtCeremony(set: ParameterSet, n: number, threshold: number): Promise<DealtCeremony> {
  const ceremony = await parties(set, n, threshold);
  const seed = seedOf(ceremony);
  const publicKeys = ask(ceremony, (party) => party.publicKeyShare(seed));
  const round1 = ask(ceremony, (party) => party.relinRound1());
  const round2 = ask(ceremony, (party) => party.relinRound2(round1));
  const sealingKeys = ask(ceremony, (party) => party.sealingPublicKey);
  const dealings = new Map<string, Uint8Array>();
  for (const [name, party] of ceremony) dealings.set(name, await party.dealings(sealingKeys));
  return { parties: ceremony, seed, publicKeys, round1, round2, sealingKeys, dealings };
}

/** The roster of the ceremonies of this file. */
export const rosterOf = (set: ParameterSet, n: number, threshold: number): Roster => ({
  set,
  epochId,
  attempt,
  members: memberNames(n),
  threshold,
});

/** A whole ceremony; `isChecked` adds the dealing check. */
export async function runCeremony(
  set: ParameterSet,
  n: number,
  threshold: number,
  isChecked = false,
): Promise<CeremonyResult> {
  const dealt = await dealtCeremony(set, n, threshold);
  const { parties: ceremony, dealings, publicKeys } = dealt;
  const combinedPublicKeys = ask(ceremony, (party) => party.combinePublicKey(publicKeys));
  const relinKeys = ask(ceremony, (party) => party.combineRelinKeys(dealt.round1, dealt.round2));
  const checks = new Map<string, Uint8Array>();
  if (isChecked) {
    for (const [name, party] of ceremony) checks.set(name, await party.dealingCheck(dealings));
  }
  const keys: HolderKey[] = [];
  for (const party of ceremony.values()) {
    keys.push(await party.finish(dealings, isChecked ? { checks, publicKeys } : undefined));
    party[Symbol.dispose]();
  }
  return {
    publicKey: combinedPublicKeys.values().next().value as Uint8Array,
    relinKeys: relinKeys.values().next().value as Uint8Array,
    keys,
    combined: [...combinedPublicKeys.values(), ...relinKeys.values()],
  };
}

/** A release by a committee, as the sum over the slots. */
export function release(
  keys: readonly HolderKey[],
  ciphertext: Uint8Array,
  sigma: bigint,
  scaleBits: number,
  coefficient: Coefficient = 0,
): number {
  const { set } = keys[0] as HolderKey;
  const committee = keys.map(({ index }) => index);
  const shares = new Map(
    keys.map((key) => [key.index, releaseShare(key, { ciphertext, committee, sigma, coefficient })]),
  );
  const residue = combineShares(set, { c0: sumOfC0(ciphertext, set, coefficient), shares });
  return cellValue(residue, { numerator: 1n << BigInt(scaleBits), denominator: 1n }, set.slots);
}

/**
 * The whole secret from a committee's keys: what no holder may ever do. Words over all primes; the special prime's
 * limb stays zero, since decryption does not read it.
 */
export function reconstructSecret(keys: readonly HolderKey[]): BigUint64Array {
  const { set } = keys[0] as HolderKey;
  const degree = set.polyModulusDegree;
  const committee = keys.map(({ index }) => index);
  const secret = new BigUint64Array(set.primes.length * degree);
  for (const key of keys) {
    const words = wordsOf(key.export().slice(152, -32));
    for (let limb = 0; limb < set.dataPrimes; limb++) {
      const prime = set.primes[limb] as bigint;
      const factor = lagrange(committee, key.index, prime);
      for (let i = limb * degree; i < (limb + 1) * degree; i++) {
        secret[i] = ((secret[i] as bigint) + (words[i] as bigint) * factor) % prime;
      }
    }
  }
  return secret;
}

export const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
