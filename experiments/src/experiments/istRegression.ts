/** A logistic regression through the whole system beside the maximum likelihood of the pooled records. */
import { parseRegression, regress } from '@strokeshare/gateway-client';
import { ROOT } from '../report.js';
import type { Study } from '../study/alliance.js';
import { readOracles } from './oracleNumbers.js';

/** One term of both fits. */
export interface ComparedTerm {
  term: string;
  encrypted: number;
  truth: number;
  agrees: boolean;
}

/** What an iterative estimate may differ by. */
const TOLERANCE = 1e-5;

const FILE = parseRegression(
  {
    name: 'ist-death',
    title: 'Death within 14 days by age, sex, consciousness and aspirin',
    agreement: 'study',
    purpose: 'DUO:0000007',
    regression: {
      outcome: { variable: 'ID14', level: '1' },
      numbers: ['AGE'],
      groups: ['SEX', 'RCONSC', 'RXASP'],
    },
  },
  'of the experiment',
);

/** Fits death within 14 days over the four hospitals; the truth is the `Logit` of statsmodels on all records. */
export async function fitDeath(
  { researcher, served }: Study,
  progress: (line: string) => void,
): Promise<{ terms: ComparedTerm[]; releases: number; seconds: number }> {
  const started = performance.now();
  const fit = await served(regress(researcher, FILE, (jobId) => progress(`${jobId}: RELEASED`)));
  const seconds = (performance.now() - started) / 1000;
  const truthAt = await readOracles(ROOT);
  const stored = (i: number): number => truthAt('logisticRegression', 'coefficients', String(i));
  const [intercept = NaN, age = NaN, male = NaN, drowsy = NaN, unconscious = NaN, none = NaN] =
    fit.regression.coefficients.map(({ estimate }) => estimate);
  // The oracle scales age to (AGE - 57.5) / 41.5, and its last term is aspirin instead of none.
  const terms = [
    { term: 'intercept', encrypted: intercept + 57.5 * age + none, truth: stored(0) },
    { term: 'age, per 41.5 years', encrypted: 41.5 * age, truth: stored(1) },
    { term: 'male', encrypted: male, truth: stored(2) },
    { term: 'drowsy', encrypted: drowsy, truth: stored(3) },
    { term: 'unconscious', encrypted: unconscious, truth: stored(4) },
    { term: 'aspirin', encrypted: -none, truth: stored(5) },
  ];
  return {
    terms: terms.map((both) => ({ ...both, agrees: Math.abs(both.encrypted - both.truth) <= TOLERANCE })),
    releases: fit.regression.releases,
    seconds,
  };
}
