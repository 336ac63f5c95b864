import type { PrivacyTerms } from '@strokeshare/chaincode';
import {
  privacyDeviation,
  privacyError,
  type ParameterSet,
  type PlanCell,
  type Rational,
} from '@strokeshare/fhe';

type NoisyCell = Pick<PlanCell, 'scale' | 'sigma' | 'errorDeviation'>;

const MILLION = 1_000_000n;
/** By how much one patient moves a sum: every column lies within -1 and 1, and so does a product of columns. */
const ONE: Rational = { numerator: 1n, denominator: 1n };

const scaleOf = ({ scale }: NoisyCell): Rational => ({
  numerator: BigInt(scale.numerator),
  denominator: BigInt(scale.denominator),
});

/** Deviation of the noise that every holder adds to a released value, in units of the coefficient. */
export function privacySigmaOf(set: ParameterSet, cell: NoisyCell, { perValue }: PrivacyTerms): bigint {
  return privacyDeviation(set, {
    rho: { numerator: BigInt(perValue), denominator: MILLION },
    sensitivity: ONE,
    scale: scaleOf(cell),
    sigma: BigInt(cell.sigma),
  });
}

/** Deviation of a released value's error: what the plan states, and the agreed noise of all holders beside it. */
export function valueDeviation(
  set: ParameterSet,
  cell: NoisyCell,
  privacy: PrivacyTerms | undefined,
  holders: number,
): number {
  const planned = Number(cell.errorDeviation);
  if (!privacy) return planned;
  const privacySigma = privacySigmaOf(set, cell, privacy);
  return Math.hypot(planned, privacyError(set, { privacySigma, scale: scaleOf(cell), holders }));
}
