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

/** Iterative estimates agree within this, closed forms within the next, relative to the truth. */
const ITERATIVE = 1e-5;
const CLOSED = 1e-6;

/** Where a number stands in a result, and where in the oracles. */
interface Place {
  statistic: string;
  quantity: string;
  labels: Record<string, string>;
  truth: readonly string[];
  relative: number;
}

/** @param at - `statistic quantity`, and `label=level` where there is one. */
const place = (at: string, truth: string, relative = CLOSED, labels: Record<string, string> = {}): Place => {
  const [statistic = '', quantity = ''] = at.split(' ');
  return { statistic, quantity, labels, truth: truth.split(' '), relative };
};
const labelled = (at: string, name: string, level: string, truth: string): Place =>
  place(at, truth, CLOSED, { [name]: level });

const PLACES: readonly Place[] = [
  place('patients count', 'counts patients', 0),
  place('death oddsRatio', 'twoByTwo 0 oddsRatio 0'),
  place('death oddsRatioUpper', 'twoByTwo 0 oddsRatio 2'),
  place('death riskRatio', 'twoByTwo 0 riskRatio 0'),
  place('death riskDifferenceLower', 'twoByTwo 0 riskDifference newcombe 0'),
  labelled('death pValue', 'test', 'Fisher', 'twoByTwo 0 fisher two-sided'),
  labelled('conscious statistic', 'test', 'Pearson', 'encrypted chiSquare statistic'),
  labelled('conscious cramersV', 'test', 'Pearson', 'encrypted chiSquare cramersV'),
  place('strata oddsRatio', 'encrypted mantelHaenszel estimate'),
  place('strata oddsRatioUpper', 'encrypted mantelHaenszel interval 1'),
  labelled(
    'strata statistic',
    'test',
    'Cochran-Mantel-Haenszel, corrected',
    'encrypted mantelHaenszel corrected',
  ),
  labelled('strata statistic', 'test', 'Breslow-Day', 'encrypted mantelHaenszel breslowDay'),
  labelled('strata pValue', 'test', 'Breslow-Day-Tarone', 'encrypted mantelHaenszel taronePValue'),
  labelled('centres oddsRatio', 'pooled', 'all', 'encrypted fixedEffect estimate'),
  labelled('centres statistic', 'test', "Cochran's Q", 'encrypted fixedEffect q'),
  place('shift commonOddsRatio', 'commonOddsRatio estimate', ITERATIVE),
  labelled('pressure mean', 'ID14', '1', 'mean mean'),
  labelled('pressure variance', 'ID14', '1', 'mean variance'),
  labelled('pressure meanLower', 'ID14', '1', 'mean interval 0'),
  labelled('difference statistic', 'ID14', '1 - 0', 'tTest unequal statistic'),
  labelled('difference pValue', 'ID14', '1 - 0', 'tTest unequal pValue'),
  labelled('pooled statistic', 'ID14', '1 - 0', 'tTest equal statistic'),
  labelled('groups statistic', 'test', 'one-way', 'anova classic statistic'),
  labelled('groups statistic', 'test', 'Welch', 'anova welch statistic'),
  labelled('matrix correlation', 'pair', 'AGE, RSBP', 'correlation estimate'),
  labelled('line coefficient', 'term', 'AGE', 'linearRegression coefficients 1'),
  labelled('line standardError', 'term', 'AGE', 'linearRegression standardErrors 1'),
  labelled('line coefficient', 'term', 'SEX=M', 'linearRegression coefficients 2'),
  place('line rSquared', 'linearRegression rSquared'),
  labelled('line statistic', 'test', 'F', 'linearRegression overall statistic'),
  place('curve survival', 'encrypted survival Y 180', CLOSED, { RXASP: 'Y', SURVIVAL: '180' }),
  labelled('curve statistic', 'test', 'log-rank', 'encrypted logRank statistic'),
];

/** Compares released numbers with what `ist.py` stored. */
export async function oracleNumbers(
  root: string,
  numbers: readonly ComparedNumber[],
): Promise<OracleNumber[]> {
  const truthAt = await readOracles(root);
  return PLACES.map(({ statistic, quantity, labels, truth: keys, relative }) => {
    const truth = truthAt(...keys);
    const found = numbers.find(
      ({ row }) =>
        row.statistic === statistic &&
        row.quantity === quantity &&
        JSON.stringify(row.labels) === JSON.stringify(labels),
    );
    const encrypted = found?.encrypted ?? null;
    // Both round.
    const allowed = Math.max(relative * Math.abs(truth), found?.tolerance ?? 0);
    return {
      name: [statistic, quantity, ...Object.values(labels)].join(' '),
      encrypted,
      truth,
      agrees: encrypted !== null && Math.abs(encrypted - truth) <= allowed,
    };
  });
}

/** Opens the numbers that `ist.py` stored: each by the keys on the way to it. */
export async function readOracles(root: string): Promise<(...keys: string[]) => number> {
  const path = join(root, 'gateway-client', 'test', 'oracles', 'ist.json');
  const oracles: unknown = JSON.parse(await readFile(path, 'utf8'));
  return (...keys) => {
    const found = keys.reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
      oracles,
    );
    if (typeof found !== 'number') throw new TypeError(`the oracles have no number ${keys.join('.')}`);
    return found;
  };
}
