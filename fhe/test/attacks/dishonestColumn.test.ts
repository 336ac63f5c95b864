/**
 * A contributor whose indicator column holds other values than 0 and 1: counts and sums are moved at will, and a count
 * gate is passed by one patient. The batch check, opened to the holders alone, finds it.
 */
import { epochId } from '../ceremonyFixture.js';
import { decodeBlob } from '../../src/bytes/blob.js';
import { buildPlaintext, parsePlaintext } from '../../src/bytes/seal.js';
import { cellValue, combineShares } from '../../src/release/combine.js';
import {
  evaluateIndicatorCheck,
  type IndicatorVerdict,
  judgeIndicators,
} from '../../src/release/indicatorCheck.js';
import { type Coefficient, releaseShare, sumOfC0 } from '../../src/release/share.js';
import { holder, multiplyWords, monomial, stage, type Stage } from './stage.js';

const committee = [2, 3];
let scene: Stage;
beforeAll(async () => {
  scene = await stage('standard', 3, 2);
});

/** An encrypted column, real in `x`, imaginary in `y`. */
function encrypted(x: Float64Array, y?: Float64Array): Uint8Array {
  const { context, encryptor, set } = scene;
  using plainX = context.encode(x);
  const packed = parsePlaintext(plainX.save(), set);
  if (y) {
    using plainY = context.encode(y);
    const turned = multiplyWords(set, parsePlaintext(plainY.save(), set).words, monomial(set, set.slots));
    for (const [i, word] of turned.entries()) {
      const prime = set.primes[Math.floor(i / set.polyModulusDegree)] as bigint;
      packed.words[i] = ((packed.words[i] as bigint) + word) % prime;
    }
  }
  using plaintext = context.loadPlaintext(buildPlaintext(set, packed));
  using ciphertext = encryptor.encrypt(plaintext);
  return ciphertext.save();
}

function releaseOf(ciphertext: Uint8Array, sigma: bigint, coefficient: Coefficient = 0): bigint {
  const shares = new Map(
    committee.map((index) => [
      index,
      releaseShare(holder(scene, index), { ciphertext, committee, sigma, coefficient }),
    ]),
  );
  return combineShares(scene.set, { c0: sumOfC0(ciphertext, scene.set, coefficient), shares });
}

function check(columns: Map<string, Uint8Array>): IndicatorVerdict {
  const { context, set } = scene;
  using relinKeys = context.loadRelinKeys(
    decodeBlob(scene.relinKeys, { kind: 'relinKeys', parameterSetId: set.id, epochId }),
  );
  const randomness = new Uint8Array(32).fill(7);
  const batch = { epochId, merkleRoot: '00'.repeat(32), randomness, columns };
  const made = evaluateIndicatorCheck(context, relinKeys, batch, 3);
  expect(evaluateIndicatorCheck(context, relinKeys, batch, 3)).toEqual(made);
  const released = {
    constant: releaseOf(made.ciphertext, made.sigma),
    half: releaseOf(made.ciphertext, made.sigma, 'half'),
  };
  return judgeIndicators(set, made, released, 2);
}

const indicator = (every: number): Float64Array =>
  Float64Array.from({ length: scene.set.slots }, (_, i) => (i % every === 0 ? 1 : 0));
const single = (value: number): Float64Array => {
  const values = new Float64Array(scene.set.slots);
  values[77] = value;
  return values;
};

describe('a dishonest indicator column (standard)', () => {
  it('makes one patient count for nine, where nobody checks', () => {
    const { set } = scene;
    const scale = { numerator: 1n << BigInt(set.scaleBits), denominator: 1n };
    const { sigma } = scene;
    const count = cellValue(releaseOf(encrypted(single(9)), sigma), scale, set.slots);
    expect(Math.round(count)).toBe(9);
  });

  it('passes the check only if its slots are 0 and 1', () => {
    const honest = new Map([
      ['SEX=M', encrypted(indicator(2))],
      ['STYPE=LACS', encrypted(indicator(3))],
    ]);
    const verdict = check(honest);
    expect(verdict.isIndicator).toBe(true);
    expect(verdict.limit).toBeLessThan(0.02);
    for (const wrong of [
      encrypted(single(9)),
      encrypted(single(-1)),
      encrypted(single(0.5)),
      encrypted(indicator(2), single(1)),
    ]) {
      const found = check(new Map(honest).set('SEX=M', wrong));
      expect(found.isIndicator).toBe(false);
    }
  });

  it('cannot be checked without room for a product', () => {
    const { context, set } = scene;
    using low = context.loadCiphertext(encrypted(indicator(2)));
    context.evaluator.modSwitchInPlace(low, 2);
    const body = low.save();
    expect(() => check(new Map([['SEX=M', body]]))).toThrow(
      expect.objectContaining({ code: 'CAPACITY_EXCEEDED' }) as Error,
    );
    expect(set.name).toBe('standard');
  });
});
