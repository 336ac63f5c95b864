import { parameterSet } from '../params/parameterSet.js';
import { PrivacyAccount } from './account.js';
import { epsilonOf, rhoOf, simpleEpsilon } from './conversion.js';
import { coefficientSensitivity, privacyDeviation, privacyError } from './mechanism.js';

const fails = (code: string): Error => expect.objectContaining({ code }) as Error;
const fraction = (numerator: bigint, denominator = 1n) => ({ numerator, denominator });

/** Complementary error function to 1e-7 relative (Numerical Recipes' erfcc), enough for the comparison below. */
function normalTail(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ];
  const tail = (t * Math.exp(-z * z + terms.reduceRight((sum, term) => sum * t + term, 0))) / 2;
  return x >= 0 ? tail : 1 - tail;
}

/** The exact delta of the Gaussian mechanism (Balle, Wang, ICML 2018, theorem 8), whose rho is mu^2 / 2. */
const gaussianDelta = (epsilon: number, rho: number): number => {
  const mu = Math.sqrt(2 * rho);
  return normalTail(epsilon / mu - mu / 2) - Math.exp(epsilon) * normalTail(epsilon / mu + mu / 2);
};

describe('conversion to epsilon and delta', () => {
  it.each([0.001, 0.01, 0.1, 0.5, 1, 3])(
    'lies between the exact Gaussian and the simple formula at rho %f',
    (rho) => {
      for (const delta of [1e-3, 1e-5, 1e-6]) {
        const epsilon = epsilonOf(rho, delta);
        expect(epsilon).toBeLessThan(simpleEpsilon(rho, delta));
        expect(gaussianDelta(epsilon, rho)).toBeLessThan(delta);
        // Not much is given away: with a fifth less the Gaussian would break it.
        expect(gaussianDelta(0.8 * epsilon, rho)).toBeGreaterThan(delta);
      }
    },
  );

  it('has its minimum where a search over alpha finds it', () => {
    const [rho, delta] = [0.1, 1e-6];
    let least = Infinity;
    for (let alpha = 1.001; alpha < 100; alpha += 0.001) {
      const value =
        alpha * rho +
        (Math.log(1 / delta) + (alpha - 1) * Math.log(1 - 1 / alpha) - Math.log(alpha)) / (alpha - 1);
      least = Math.min(least, value);
    }
    expect(epsilonOf(rho, delta)).toBeCloseTo(least, 6);
    expect(simpleEpsilon(rho, delta)).toBeCloseTo(2.45079, 4);
  });

  it('has an inverse', () => {
    for (const epsilon of [0.1, 1, 5]) expect(epsilonOf(rhoOf(epsilon, 1e-6), 1e-6)).toBeCloseTo(epsilon, 9);
    expect(() => epsilonOf(0, 1e-6)).toThrow(fails('ARGUMENT_INVALID'));
    expect(() => epsilonOf(1, 1)).toThrow(fails('ARGUMENT_INVALID'));
    expect(() => rhoOf(-1, 1e-6)).toThrow(fails('ARGUMENT_INVALID'));
  });
});

describe('privacyDeviation', () => {
  const set = parameterSet('standard');
  const request = {
    rho: fraction(1n, 100n),
    sensitivity: fraction(1n),
    scale: fraction(1n << 70n),
    sigma: 1n << 45n,
  };

  it('is sensitivity over the root of 2 rho, the sensitivity Delta / slots and a little more', () => {
    const sensitivity = coefficientSensitivity(set, request);
    expect(Number(sensitivity) / 2 ** 57).toBeGreaterThan(1);
    expect(Number(sensitivity) / 2 ** 57).toBeLessThan(1.0001);
    const deviation = privacyDeviation(set, request);
    expect(Number(deviation) / (Number(sensitivity) / Math.sqrt(0.02))).toBeCloseTo(1, 9);
    // Never less private than asked: D^2 / (2 sigma^2) <= rho.
    expect(100n * sensitivity ** 2n).toBeLessThanOrEqual(2n * deviation ** 2n);
    const error = privacyError(set, { privacySigma: deviation, scale: request.scale, holders: 3 });
    expect(error).toBeCloseTo(Math.sqrt(3) / Math.sqrt(0.02), 2);
  });

  it('refuses nonsense', () => {
    expect(() => privacyDeviation(set, { ...request, rho: fraction(0n) })).toThrow(fails('ARGUMENT_INVALID'));
    expect(() => privacyDeviation(set, { ...request, scale: fraction(-1n) })).toThrow(
      fails('ARGUMENT_INVALID'),
    );
  });
});

describe('PrivacyAccount', () => {
  it('adds up exactly, once for each value, and refuses what is not covered', () => {
    const account = new PrivacyAccount(fraction(1n));
    for (const id of ['a', 'b', 'c', 'a']) account.spend(id, fraction(1n, 3n));
    expect(account.spent).toEqual(fraction(1n));
    expect(() => {
      account.spend('d', fraction(1n, 1_000_000n));
    }).toThrow(fails('PRIVACY_BUDGET_EXHAUSTED'));
    expect(account.spent).toEqual(fraction(1n));
    expect(() => {
      account.spend('a', fraction(1n, 4n));
    }).toThrow(fails('ARGUMENT_INVALID'));
  });

  it('comes back from its state', () => {
    const account = new PrivacyAccount(fraction(1n));
    account.spend('job/cell/1,2,3', fraction(2n, 7n));
    const restored = PrivacyAccount.restore(JSON.parse(JSON.stringify(account)));
    expect(restored.toJSON()).toEqual(account.toJSON());
    restored.spend('job/cell/1,2,3', fraction(4n, 14n));
    expect(restored.spent).toEqual(fraction(2n, 7n));
    for (const state of [{}, { ...account.toJSON(), version: 2 }, { ...account.toJSON(), budget: 1 }]) {
      expect(() => PrivacyAccount.restore(state)).toThrow(fails('JOURNAL_MALFORMED'));
    }
    expect(() => new PrivacyAccount(fraction(0n))).toThrow(fails('ARGUMENT_INVALID'));
  });
});
