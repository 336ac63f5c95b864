import { limit, normalScore, uniformScore } from '../../test/chiSquare.js';
import { epochId, runCeremony } from '../../test/ceremonyFixture.js';
import { sha256Hex } from '../bytes/canonical.js';
import { parameterSet } from '../params/parameterSet.js';
import { committeesAmong } from '../release/committee.js';
import type { HolderKey } from '../release/holderKey.js';
import { generateSealingKeyPair, openSealed, sealTo, type SealingKeyPair } from '../sealing/hpke.js';
import { fieldPrime } from './field.js';
import { decodeVector, encodeVector, type FixedPointFormat, requireFormat } from './fixedPoint.js';
import {
  addVectors,
  combineVectorShares,
  dealVector,
  openVectorShare,
  releaseVectorShare,
  shareVector,
} from './vectorShare.js';

const set = parameterSet('toy');
const [n, threshold] = [4, 3];
const format: FixedPointFormat = { length: 7, fractionBits: 30, bound: 1e6, contributors: 5 };
const context = { parameterSetId: set.id, epochId, vectorId: 'job-1/gradient' };
const fails = (code: string): Error => expect.objectContaining({ code }) as Error;

let keys: HolderKey[];
let sealing: SealingKeyPair[];
beforeAll(async () => {
  ({ keys } = await runCeremony(set, n, threshold));
  sealing = await Promise.all(Array.from({ length: n }, generateSealingKeyPair));
});

const vectors = Array.from({ length: 5 }, (_, i) =>
  Array.from({ length: 7 }, (__, j) => Math.sin(10 * i + j) * 10 ** (j % 6)),
);
/** Exact in the fixed-point values. */
const exact = (): number[] =>
  vectors[0]?.map((_, j) => {
    const sum = vectors.reduce((total, row) => total + BigInt(Math.round((row[j] ?? 0) * 2 ** 30)), 0n);
    return Number(sum) / 2 ** 30;
  }) ?? [];

async function sums(): Promise<{ sums: BigUint64Array[]; inputs: string }> {
  const publicKeys = sealing.map(({ publicKey }) => publicKey);
  const dealt = await Promise.all(
    vectors.map((values, i) =>
      dealVector(context, `Hospital${i + 1}MSP`, encodeVector(values, format), threshold, publicKeys),
    ),
  );
  const opened = await Promise.all(
    sealing.map(async (pair, k) =>
      addVectors(
        await Promise.all(
          dealt.map((sealed, i) =>
            openVectorShare(
              context,
              `Hospital${i + 1}MSP`,
              { index: k + 1, keys: pair },
              sealed[k] as Uint8Array,
              format.length,
            ),
          ),
        ),
      ),
    ),
  );
  return { sums: opened, inputs: sha256Hex(...dealt.flat()) };
}

describe('vectors of plain aggregates', () => {
  it('come back exactly, from every committee, through seals to holders and researcher', async () => {
    const { sums: held, inputs } = await sums();
    const researcher = await generateSealingKeyPair();
    const info = new TextEncoder().encode('value shares of job-1');
    for (const committee of committeesAmong([1, 2, 3, 4], threshold)) {
      const sealed = await Promise.all(
        committee.map((index) => {
          const share = releaseVectorShare(keys[index - 1] as HolderKey, {
            vectorId: context.vectorId,
            sum: held[index - 1] as BigUint64Array,
            inputs,
            committee,
          });
          return sealTo(researcher.publicKey, share, info);
        }),
      );
      const shares = await Promise.all(sealed.map((message) => openSealed(researcher, message, info)));
      const sum = combineVectorShares(context, committee, shares, format.length);
      expect(Array.from(decodeVector(sum, format))).toEqual(exact());
      expect(() => combineVectorShares(context, committee, shares.slice(1), format.length)).toThrow(
        fails('COMMITTEE_INVALID'),
      );
      expect(() =>
        combineVectorShares({ ...context, epochId: 'other' }, committee, shares, format.length),
      ).toThrow(fails('EPOCH_MISMATCH'));
    }
  });

  it('carry privacy noise of the agreed deviation, the same when asked again', async () => {
    const { sums: held, inputs } = await sums();
    const committee = [1, 2, 4];
    const privacySigma = 1n << 40n;
    let square = 0;
    const count = 60;
    for (let i = 0; i < count; i++) {
      const shares = committee.map((index) => {
        const request = {
          vectorId: `noisy ${i}`,
          sum: held[index - 1] as BigUint64Array,
          inputs,
          committee,
          privacySigma,
        };
        const share = releaseVectorShare(keys[index - 1] as HolderKey, request);
        expect(releaseVectorShare(keys[index - 1] as HolderKey, request)).toEqual(share);
        return share;
      });
      const noisy = decodeVector(combineVectorShares(context, committee, shares, format.length), format);
      for (const [j, value] of noisy.entries()) square += ((value - (exact()[j] ?? 0)) / 2 ** 10) ** 2;
    }
    // Three holders, each the whole variance: chi-square with 420 degrees of freedom.
    const freedom = count * format.length;
    expect(Math.abs(normalScore(square / 3, freedom))).toBeLessThan(limit);
    const request = { vectorId: 'v', sum: held[0] as BigUint64Array, inputs, committee };
    expect(() => releaseVectorShare(keys[0] as HolderKey, { ...request, privacySigma: 1n << 50n })).toThrow(
      fails('RELEASE_REFUSED'),
    );
  });

  it('are hidden from t - 1 holders: their shares are uniform (chi-square)', () => {
    const words = encodeVector(new Array<number>(2000).fill(3), { ...format, length: 2000 });
    const [, second, third] = shareVector(words, threshold, n);
    for (const share of [second, third]) {
      expect(Math.abs(uniformScore(share ?? [], fieldPrime, 16))).toBeLessThan(limit);
    }
  });
});

describe('fixed point', () => {
  it('refuses beforehand what could overflow', () => {
    expect(() => requireFormat({ ...format, contributors: 2000 })).toThrow(fails('OVERFLOW'));
    expect(() => requireFormat({ ...format, bound: 1e300, fractionBits: 52 })).toThrow(fails('OVERFLOW'));
    // The largest sum that is admitted is decoded with its sign.
    const edge = { length: 2, fractionBits: 0, bound: 2 ** 58, contributors: 1 };
    expect(() => requireFormat(edge)).not.toThrow();
    expect(() => requireFormat({ ...edge, bound: 2 ** 59 })).toThrow(fails('OVERFLOW'));
    expect(Array.from(decodeVector(encodeVector([2 ** 58, -(2 ** 58)], edge), edge))).toEqual([
      2 ** 58,
      -(2 ** 58),
    ]);
    for (const value of [1e6 + 1, -1e7, NaN, Infinity]) {
      expect(() => encodeVector([0, 0, 0, value, 0, 0, 0], format)).toThrow(fails('OVERFLOW'));
    }
  });

  it('refuses formats and vectors without sense', () => {
    for (const wrong of [
      { length: 0 },
      { fractionBits: 53 },
      { fractionBits: 1.5 },
      { bound: 0 },
      { contributors: 0 },
    ]) {
      expect(() => requireFormat({ ...format, ...wrong })).toThrow(fails('ARGUMENT_INVALID'));
    }
    expect(() => encodeVector([1], format)).toThrow(fails('ARGUMENT_INVALID'));
    expect(() => shareVector(BigUint64Array.of(fieldPrime), 1, 1)).toThrow(fails('ARGUMENT_INVALID'));
    expect(() => shareVector(BigUint64Array.of(1n), 3, 2)).toThrow(fails('ARGUMENT_INVALID'));
    expect(() => addVectors([new BigUint64Array(1), new BigUint64Array(2)])).toThrow(
      fails('ARGUMENT_INVALID'),
    );
  });
});

describe('a dealt share', () => {
  it('opens for its vector, contributor and holder alone, and only in its form', async () => {
    const publicKeys = sealing.map(({ publicKey }) => publicKey);
    const words = encodeVector(vectors[0] ?? [], format);
    const [first] = await dealVector(context, 'Hospital1MSP', words, threshold, publicKeys);
    const open = (vectorId: string, contributor: string, index: number, length = 7) =>
      openVectorShare(
        { ...context, vectorId },
        contributor,
        { index, keys: sealing[0] as SealingKeyPair },
        first as Uint8Array,
        length,
      );
    await expect(open('other', 'Hospital1MSP', 1)).rejects.toMatchObject({ code: 'SEALED_MESSAGE_INVALID' });
    await expect(open(context.vectorId, 'Hospital2MSP', 1)).rejects.toMatchObject({
      code: 'SEALED_MESSAGE_INVALID',
    });
    await expect(open(context.vectorId, 'Hospital1MSP', 2)).rejects.toMatchObject({
      code: 'SEALED_MESSAGE_INVALID',
    });
    await expect(open(context.vectorId, 'Hospital1MSP', 1, 8)).rejects.toMatchObject({
      code: 'SHARE_MALFORMED',
    });
    expect(await open(context.vectorId, 'Hospital1MSP', 1)).toHaveLength(7);
  });
});
