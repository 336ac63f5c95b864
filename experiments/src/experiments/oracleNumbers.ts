import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComparedNumber } from '../study/ask.js';

/** A released number beside an independent tool's. */
export interface OracleNumber {
  name: string;
  encrypted: number | null;
  truth: number;
  agrees: boolean;
}

/** Where a number stands in a result, and where in the oracles; iterative estimates agree within 1e-5. */
interface Place {
  statistic: string;
  quantity: string;
  labels?: Record<string, string>;
  truth: readonly (string | number)[];
  iterative?: boolean;
}

const PLACES: readonly Place[] = [
  { statistic: 'patients', quantity: 'count', truth: ['counts', 'patients'] },
  { statistic: 'death', quantity: 'oddsRatio', truth: ['twoByTwo', 0, 'oddsRatio', 0] },
  { statistic: 'death', quantity: 'oddsRatioUpper', truth: ['twoByTwo', 0, 'oddsRatio', 2] },
  { statistic: 'death', quantity: 'riskRatio', truth: ['twoByTwo', 0, 'riskRatio', 0] },
  {
    statistic: 'death',
    quantity: 'riskDifferenceLower',
    truth: ['twoByTwo', 0, 'riskDifference', 'newcombe', 0],
  },
  {
    statistic: 'death',
    quantity: 'pValue',
    labels: { test: 'Fisher' },
    truth: ['twoByTwo', 0, 'fisher', 'two-sided'],
  },
  {
    statistic: 'shift',
    quantity: 'commonOddsRatio',
    truth: ['commonOddsRatio', 'estimate'],
    iterative: true,
  },
  { statistic: 'pressure', quantity: 'mean', labels: { ID14: '1' }, truth: ['mean', 'mean'] },
  { statistic: 'pressure', quantity: 'variance', labels: { ID14: '1' }, truth: ['mean', 'variance'] },
  { statistic: 'pressure', quantity: 'meanLower', labels: { ID14: '1' }, truth: ['mean', 'interval', 0] },
  {
    statistic: 'difference',
    quantity: 'statistic',
    labels: { ID14: '1 - 0' },
    truth: ['tTest', 'unequal', 'statistic'],
  },
  {
    statistic: 'difference',
    quantity: 'pValue',
    labels: { ID14: '1 - 0' },
    truth: ['tTest', 'unequal', 'pValue'],
  },
  {
    statistic: 'pooled',
    quantity: 'statistic',
    labels: { ID14: '1 - 0' },
    truth: ['tTest', 'equal', 'statistic'],
  },
  {
    statistic: 'groups',
    quantity: 'statistic',
    labels: { test: 'one-way' },
    truth: ['anova', 'classic', 'statistic'],
  },
  {
    statistic: 'groups',
    quantity: 'statistic',
    labels: { test: 'Welch' },
    truth: ['anova', 'welch', 'statistic'],
  },
  {
    statistic: 'matrix',
    quantity: 'correlation',
    labels: { pair: 'AGE, RSBP' },
    truth: ['correlation', 'estimate'],
  },
  {
    statistic: 'line',
    quantity: 'coefficient',
    labels: { term: 'AGE' },
    truth: ['linearRegression', 'coefficients', 1],
  },
  {
    statistic: 'line',
    quantity: 'standardError',
    labels: { term: 'AGE' },
    truth: ['linearRegression', 'standardErrors', 1],
  },
  {
    statistic: 'line',
    quantity: 'coefficient',
    labels: { term: 'SEX=M' },
    truth: ['linearRegression', 'coefficients', 2],
  },
];

/** Compares released numbers with what `ist.py` stored. */
export async function oracleNumbers(
  root: string,
  numbers: readonly ComparedNumber[],
): Promise<OracleNumber[]> {
  const path = join(root, 'gateway-client', 'test', 'oracles', 'ist.json');
  const oracles: unknown = JSON.parse(await readFile(path, 'utf8'));
  return PLACES.map((place) => {
    const truth = at(oracles, place.truth);
    const labels = JSON.stringify(place.labels ?? {});
    const found = numbers.find(
      ({ row }) =>
        row.statistic === place.statistic &&
        row.quantity === place.quantity &&
        JSON.stringify(row.labels) === labels,
    );
    const encrypted = found?.encrypted ?? null;
    const relative = place.iterative === true ? 1e-5 : 1e-6;
    // The oracle's own rounding; a count has none.
    const allowed =
      place.quantity === 'count' ? 0 : Math.max(relative * Math.abs(truth), found?.tolerance ?? 0);
    return {
      name: [place.statistic, place.quantity, ...Object.values(place.labels ?? {})].join(' '),
      encrypted,
      truth,
      agrees: encrypted !== null && Math.abs(encrypted - truth) <= allowed,
    };
  });
}

function at(value: unknown, keys: readonly (string | number)[]): number {
  const found = keys.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
  if (typeof found !== 'number') throw new TypeError(`the oracles have no number ${keys.join('.')}`);
  return found;
}
