/**
 * A dealer that shares another secret than its own, or values off one polynomial. Without the dealing check the epoch
 * becomes active and some committees release nonsense; with it the attempt ends and the liar is named.
 */
import { dealtCeremony, type DealtCeremony, release, rosterOf } from '../ceremonyFixture.js';
import { decodeBlob, encodeBlob } from '../../src/bytes/blob.js';
import { sha256Hex } from '../../src/bytes/canonical.js';
import { challengeOf, checkResults, checkShareAt } from '../../src/ceremony/dealingCheck.js';
import { inverseModulo, modulo } from '../../src/release/rational.js';
import { lagrange } from '../../src/release/share.js';
import { sealShares, shamirShares } from '../../src/ceremony/dealing.js';
import { type DisputeEvidence, judgeDealings } from '../../src/ceremony/dispute.js';
import { encodeMessage } from '../../src/ceremony/message.js';
import type { CeremonySteps } from '../../src/ceremony/party.js';
import type { PartySecrets } from '../../src/ceremony/secrets.js';
import { type ParameterSet, parameterSet } from '../../src/params/parameterSet.js';
import type { HolderKey } from '../../src/release/holderKey.js';
import { transformSmall } from '../../src/ring/transform.js';
import { SealContext } from '../../src/seal/context.js';

const liar = 'Hospital2MSP';
const [n, threshold] = [3, 2];

interface Inside {
  secrets: PartySecrets;
  steps: CeremonySteps;
  salts: readonly Uint8Array[];
}

type Lie = (set: ParameterSet, shares: BigUint64Array[]) => void;

/** Adds X^7 to the secret: every share moves by the same. */
const otherSecret: Lie = (set, shares) => {
  const monomial = new Int32Array(set.polyModulusDegree);
  monomial[7] = 1;
  const words = transformSmall(set, monomial, set.dataPrimes);
  for (const share of shares) addWords(set, share, words);
};

/** Moves the third holder's share in one prime alone. */
const offPolynomial: Lie = (set, shares) => {
  const words = new BigUint64Array(set.dataPrimes * set.polyModulusDegree);
  words[words.length - 1] = 1n;
  addWords(set, shares[2] as BigUint64Array, words);
};

function addWords(set: ParameterSet, out: BigUint64Array, words: BigUint64Array): void {
  for (const [i, word] of words.entries()) {
    const prime = set.primes[Math.floor(i / set.polyModulusDegree)] as bigint;
    out[i] = ((out[i] as bigint) + word) % prime;
  }
}

/** The liar's dealing, made anew with its own code changed. */
async function withLie(set: ParameterSet, dealt: DealtCeremony, lie: Lie): Promise<Map<string, Uint8Array>> {
  const party = dealt.parties.get(liar) as unknown as Inside;
  const roster = rosterOf(set, n, threshold);
  const shares = shamirShares(party.secrets.ring, party.secrets.secret, threshold, n);
  lie(set, shares);
  const { payload, salts } = await sealShares(roster, liar, shares, dealt.sealingKeys);
  party.salts = salts;
  return new Map(dealt.dealings).set(
    liar,
    party.steps.remember('dealing', encodeMessage(roster, 'dealing', 2, payload)),
  );
}

async function checksOf(dealt: DealtCeremony, dealings: Map<string, Uint8Array>) {
  const checks = new Map<string, Uint8Array>();
  for (const [name, party] of dealt.parties) checks.set(name, await party.dealingCheck(dealings));
  return checks;
}

function disclosuresOf(dealt: DealtCeremony): Map<string, Uint8Array> {
  return new Map(Array.from(dealt.parties, ([name, party]) => [name, party.disclose()]));
}

const header = (set: ParameterSet) => ({
  kind: 'ceremony' as const,
  parameterSetId: set.id,
  epochId: 'test-epoch',
});

describe('a dishonest dealer (standard)', () => {
  const set = parameterSet('standard');

  it('spoils the releases of some committees where nobody checks', async () => {
    const dealt = await dealtCeremony(set, n, threshold);
    const dealings = await withLie(set, dealt, offPolynomial);
    const keys: HolderKey[] = [];
    for (const party of dealt.parties.values()) keys.push(await party.finish(dealings));
    const context = await SealContext.for(set);
    const publicKey = [...dealt.parties.values()][0]?.combinePublicKey(dealt.publicKeys) as Uint8Array;
    using loaded = context.loadPublicKey(decodeBlob(publicKey, { ...header(set), kind: 'publicKey' }));
    using encryptor = context.encryptor(loaded);
    using plaintext = context.encode(new Float64Array(set.slots).fill(1));
    using ciphertext = encryptor.encrypt(plaintext);
    const sigma = 1n << 50n;
    // Eight deviations of the two holders' flooding in the sum; the noise of the encryption is far below it.
    const limit = (8 * Math.sqrt(threshold) * Number(sigma) * set.slots) / 2 ** set.scaleBits;
    const error = ([a, b]: number[]): number =>
      Math.abs(
        release(
          [keys[(a ?? 0) - 1] as HolderKey, keys[(b ?? 0) - 1] as HolderKey],
          ciphertext.save(),
          sigma,
          set.scaleBits,
        ) - set.slots,
      );
    expect(error([1, 2])).toBeLessThan(limit);
    expect(error([1, 3])).toBeGreaterThan(1e6);
    expect(error([2, 3])).toBeGreaterThan(1e6);
  });

  it.each([
    ['another secret', otherSecret, 'other secret shared'],
    ['values off the polynomial', offPolynomial, 'shares inconsistent'],
  ])('who shares %s fails the check and is named', async (_, lie, offence) => {
    const dealt = await dealtCeremony(set, n, threshold);
    const dealings = await withLie(set, dealt, lie);
    const checks = await checksOf(dealt, dealings);
    const { publicKeys, seed, sealingKeys } = dealt;
    for (const party of dealt.parties.values()) {
      await expect(party.finish(dealings, { checks, publicKeys })).rejects.toMatchObject({
        code: 'DEALINGS_DISPUTED',
        message: expect.stringContaining(liar) as string,
      });
    }
    const disclosures = disclosuresOf(dealt);
    const evidence = { seed, publicKeys, sealingKeys, dealings, checks, disclosures };
    expect(await judgeDealings(rosterOf(set, n, threshold), evidence)).toEqual([{ member: liar, offence }]);
    await expect(dealt.parties.get(liar)?.finish(dealings)).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('who covers for its dealing in its own check message is found by the window without it', async () => {
    const dealt = await dealtCeremony(set, n, threshold);
    // Holder 1's share moves by a polynomial that is 1 at one point of one prime.
    const words = new BigUint64Array(set.dataPrimes * set.polyModulusDegree);
    words[5] = 1n;
    const dealings = await withLie(set, dealt, (_, shares) => {
      addWords(set, shares[0] as BigUint64Array, words);
    });
    const checks = await checksOf(dealt, dealings);
    const { publicKeys, seed } = dealt;
    const roster = rosterOf(set, n, threshold);
    const hashes = [...dealings.values()].map((blob) => sha256Hex(blob));
    const difference = challengeOf(roster, seed, hashes).c1[5] as bigint;
    // What holder 1 has too much in the window {1, 2}, taken away by holder 2.
    const prime = set.primes[0] as bigint;
    const factor = lagrange([1, 2], 1, prime) * inverseModulo(BigInt(set.polyModulusDegree), prime);
    const body = decodeBlob(checks.get(liar) as Uint8Array, header(set)).slice();
    const share = checkShareAt(roster, body.subarray(40), 2, 2, [1, 2]);
    const view = new DataView(share.buffer, share.byteOffset);
    view.setBigUint64(0, modulo(view.getBigUint64(0, true) - factor * difference, prime), true);
    checks.set(liar, encodeBlob(header(set), body));
    const results = checkResults(roster, seed, { publicKeys, dealings, checks });
    const plausible = results
      .filter(({ dealer }) => dealer === liar)
      .map(({ window, isPlausible }) => ({ window, isPlausible }));
    expect(plausible).toEqual([
      { window: [1, 3], isPlausible: false },
      { window: [1, 2], isPlausible: true },
    ]);
    const disclosures = disclosuresOf(dealt);
    const evidence = { ...dealt, dealings, checks, disclosures };
    expect(await judgeDealings(roster, evidence)).toEqual([{ member: liar, offence: 'shares inconsistent' }]);
  });

  it('is not seen in honest dealings, whose released values are small', async () => {
    const dealt = await dealtCeremony(set, n, threshold);
    const { dealings, publicKeys, seed } = dealt;
    const checks = await checksOf(dealt, dealings);
    const results = checkResults(rosterOf(set, n, threshold), seed, { publicKeys, dealings, checks });
    expect(results).toHaveLength(n * (n - threshold + 1));
    for (const { residue, isPlausible } of results) {
      expect(isPlausible).toBe(true);
      expect(residue.toString(2).length).toBeLessThan(50);
    }
    for (const party of dealt.parties.values()) {
      using key = await party.finish(dealings, { checks, publicKeys });
      expect(key.members).toBe(n);
    }
  });
});

describe('a dispute (toy)', () => {
  const set = parameterSet('toy');
  const roster = rosterOf(set, n, threshold);

  async function disputed(
    change: (evidence: {
      dealings: Map<string, Uint8Array>;
      checks: Map<string, Uint8Array>;
      disclosures: Map<string, Uint8Array>;
    }) => void,
  ) {
    const dealt = await dealtCeremony(set, n, threshold);
    const { dealings, publicKeys, seed, sealingKeys } = dealt;
    const checks = await checksOf(dealt, dealings);
    const disclosures = disclosuresOf(dealt);
    const evidence = { seed, publicKeys, sealingKeys, dealings, checks, disclosures };
    change(evidence);
    return judgeDealings(roster, evidence satisfies DisputeEvidence);
  }

  function flip(messages: Map<string, Uint8Array>, at: number): void {
    const body = decodeBlob(messages.get(liar) as Uint8Array, header(set)).slice();
    body[at] = (body[at] ?? 0) ^ 1;
    messages.set(liar, encodeBlob(header(set), body));
  }

  it('names nobody among the honest', async () => {
    expect(await disputed(() => undefined)).toEqual([]);
  });

  it('names a holder whose check message is not what its shares give', async () => {
    // The middle of a word: far above the noise, below the prime.
    expect(
      await disputed(({ checks }) => {
        flip(checks, 40 + 6);
      }),
    ).toEqual([{ member: liar, offence: 'check falsified' }]);
  });

  it('names who withholds its key or discloses another', async () => {
    const withheld = [{ member: liar, offence: 'key withheld' }];
    expect(
      await disputed(({ disclosures }) => {
        disclosures.delete(liar);
      }),
    ).toEqual(withheld);
    expect(
      await disputed(({ disclosures }) => {
        flip(disclosures, 50);
      }),
    ).toEqual(withheld);
  });

  it('names a dealer whose sealed share does not open, before any check', async () => {
    const dealt = await dealtCeremony(set, n, threshold);
    const { publicKeys, seed, sealingKeys } = dealt;
    const dealings = new Map(dealt.dealings);
    flip(dealings, 40 + n * 32 + 1500);
    await expect(dealt.parties.get('Hospital1MSP')?.dealingCheck(dealings)).rejects.toMatchObject({
      code: 'CEREMONY_MESSAGE_INVALID',
      sender: liar,
    });
    const evidence = { seed, publicKeys, sealingKeys, dealings, disclosures: disclosuresOf(dealt) };
    expect(await judgeDealings(roster, evidence)).toEqual([
      { member: liar, offence: 'share not as committed' },
    ]);
  });
});
