/**
 * Differencing: the count of a cohort and of the cohort without one patient. Exact counts give the patient away;
 * with privacy noise the difference says little, and asking again is either a replay or spends the budget.
 */
import { cellValue, combineShares } from '../../src/release/combine.js';
import { PrivacyAccount } from '../../src/privacy/account.js';
import { privacyDeviation, privacyError } from '../../src/privacy/mechanism.js';
import { releaseShare, sumOfC0 } from '../../src/release/share.js';
import { encrypt, holder, stage, type Stage } from './stage.js';

const committee = [1, 2];
const rho = { numerator: 1n, denominator: 50n };

let scene: Stage;
beforeAll(async () => {
  scene = await stage('additive', 3, 2);
});

const scale = () => ({ numerator: 1n << BigInt(scene.set.scaleBits), denominator: 1n });

/** The two counts' difference: 1 if the patient has the trait. */
function difference(trait: boolean, privacySigma?: bigint): number {
  const { set, sigma } = scene;
  const cohort = Float64Array.from({ length: set.slots }, (_, i) => (i % 3 === 0 ? 1 : 0));
  cohort[100] = trait ? 1 : 0;
  const without = cohort.slice();
  without[100] = 0;
  const [all, less] = [cohort, without].map((values) => {
    const { body } = encrypt(scene, values);
    const request = { ciphertext: body, committee, sigma, ...(privacySigma && { privacySigma }) };
    const shares = new Map(committee.map((index) => [index, releaseShare(holder(scene, index), request)]));
    return cellValue(combineShares(set, { c0: sumOfC0(body, set), shares }), scale(), set.slots);
  });
  return (all ?? 0) - (less ?? 0);
}

/** How often a trait, by turns there and not, is guessed from 40 differences. */
function guessed(privacySigma?: bigint): number {
  return Array.from({ length: 40 }, (_, i) => i % 2 === 0).filter(
    (trait) => difference(trait, privacySigma) > 0.5 === trait,
  ).length;
}

describe('differencing (additive)', () => {
  it('gives a patient away where counts are exact', () => {
    expect(guessed()).toBe(40);
  });

  it('says little under differential privacy, and its budget ends', () => {
    const { set, sigma } = scene;
    const request = { rho, sensitivity: { numerator: 1n, denominator: 1n }, scale: scale(), sigma };
    const privacySigma = privacyDeviation(set, request);
    // Deviation 5 of each holder: ten of the difference, and a guess is right with probability 0.52.
    expect(privacyError(set, { privacySigma, scale: scale(), holders: 1 })).toBeCloseTo(5, 3);
    expect(guessed(privacySigma)).toBeLessThan(37);
    const account = new PrivacyAccount({ numerator: 1n, denominator: 10n });
    for (let i = 0; i < 5; i++) account.spend(`count ${i}`, rho);
    expect(() => {
      account.spend('count 5', rho);
    }).toThrow(expect.objectContaining({ code: 'PRIVACY_BUDGET_EXHAUSTED' }) as Error);
  });
});
