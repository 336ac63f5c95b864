import { parameterSet } from '@strokeshare/fhe';
import { privacySigmaOf, valueDeviation } from './privacy.js';

const set = parameterSet('toy');
const cell = {
  scale: { numerator: String(2n ** 30n), denominator: '1' },
  sigma: '1000',
  errorDeviation: '3e-4',
};

describe('agreed differential privacy', () => {
  it('costs what is agreed for a value: noise of deviation D / sqrt(2 rho), as the discrete Gaussian mechanism has it', () => {
    const whole = privacySigmaOf(set, cell, { budget: 4_000_000, perValue: 2_000_000 });
    // rho = 2: half of the coefficient's sensitivity, which is at least the scale over the slots.
    expect(Number(whole)).toBeGreaterThanOrEqual(2 ** 30 / set.slots / 2);
    const quarter = privacySigmaOf(set, cell, { budget: 4_000_000, perValue: 500_000 });
    expect(Math.abs(Number(quarter) / Number(whole) - 2)).toBeLessThan(1e-6);
  });

  it('is stated in the error of a value, with the noise of every holder', () => {
    const privacy = { budget: 4_000_000, perValue: 2_000_000 };
    expect(valueDeviation(set, cell, undefined, 3)).toBe(3e-4);
    const [one, four] = [valueDeviation(set, cell, privacy, 1), valueDeviation(set, cell, privacy, 4)];
    // At rho = 2 one holder's noise is at least half a patient of the largest value.
    expect(one).toBeGreaterThanOrEqual(0.5);
    expect(Math.abs(four / one - 2)).toBeLessThan(1e-3);
  });
});
