import { ClientError } from '../../errors.js';
import { exact, linearRegression, type LinearRegression, type Measured } from '../../statistics/index.js';
import { levelsOf, type Cells } from './cells.js';
import type { AnalysisOf } from './kinds.js';
import { measuredFigures, type Figures, type Part } from './lines.js';
import { requestsOf } from './requests.js';

/** A term of a regression: the intercept, a number, or one level of a group. */
type Term = { name?: string; code?: string };

/** Least squares over released sums. The first level of each group is what the others are compared with. */
export function regressionParts(cells: Cells, analysis: AnalysisOf<'linearRegression'>): Part[] {
  const { numbers, groups, level } = analysis;
  const source = requestsOf(analysis);
  const terms: Term[] = [
    {},
    ...numbers.map((name) => ({ name })),
    ...groups.flatMap((name) => {
      const byGroup = source.find((request) => request.kind === 'mean' && request.by?.[0] === name);
      const levels = byGroup ? levelsOf(cells.moments(byGroup.id), name) : [];
      return levels.slice(1).map((code) => ({ name, code }));
    }),
  ];
  let released: Map<string, Measured> | undefined;
  const fitted = (figures: (model: LinearRegression) => Figures) => () => {
    const sums = (released ??= releasedSums(cells, analysis));
    const keys = [...sums.keys()];
    return measuredFigures([...sums.values()], (values) =>
      figures(solved(cells, analysis, terms, (key) => values[keys.indexOf(key)] ?? 0, level)),
    );
  };
  return [
    ...terms.map((term, i): Part => ({
      labels: { term: termName(term) },
      quantities: ['coefficient', 'coefficientLower', 'coefficientUpper', 'standardError', 'pValue'],
      figures: fitted(({ coefficients }) => {
        const own = coefficients[i];
        if (!own) throw new TypeError('every term has a coefficient');
        return {
          coefficient: own.estimate,
          coefficientLower: own.lower,
          coefficientUpper: own.upper,
          standardError: own.standardError,
          pValue: own.pValue,
        };
      }),
    })),
    {
      quantities: ['rSquared', 'adjustedRSquared', 'residualStandardError'],
      figures: fitted(({ rSquared, adjustedRSquared, residualVariance }) => ({
        rSquared,
        adjustedRSquared,
        residualStandardError: Math.sqrt(residualVariance),
      })),
    },
    {
      labels: { test: 'F' },
      quantities: ['statistic', 'degreesOfFreedom', 'denominatorDegreesOfFreedom', 'pValue'],
      figures: fitted(({ overall: { statistic, degreesOfFreedom, pValue } }) => ({
        statistic,
        degreesOfFreedom: degreesOfFreedom[0],
        denominatorDegreesOfFreedom: degreesOfFreedom[1],
        pValue,
      })),
    },
  ];
}

function termName({ name = 'intercept', code }: Term): string {
  return code === undefined ? name : `${name}=${code}`;
}

/** All sums by key: counts, sums, squares and products of scaled numbers. @throws KeptBack */
function releasedSums(cells: Cells, analysis: AnalysisOf<'linearRegression'>): Map<string, Measured> {
  const sums = new Map<string, Measured>();
  const counts = new Map<string, number>();
  const totals = new Map<string, number>();
  const addTotal = (id: string, count: number): void => void totals.set(id, (totals.get(id) ?? 0) + count);
  for (const request of requestsOf(analysis)) {
    if (request.kind === 'variance' || request.kind === 'mean') {
      for (const { labels, of } of cells.moments(request.id)) {
        const { count, sum, squares } = of();
        const group = groupKey(labels);
        addTotal(request.id, count);
        counts.set(group, count);
        sums.set(key(request.variable, group), sum);
        if (squares) sums.set(key(request.variable, request.variable), squares);
      }
    } else if (request.kind === 'correlation') {
      const [x, y] = request.variables;
      const joint = cells.joint(request.id);
      addTotal(request.id, joint.count);
      sums.set(key(x, ''), joint.sum).set(key(y, ''), joint.otherSum);
      sums.set(key(x, x), joint.squares).set(key(y, y), joint.otherSquares);
      sums.set(key(x, y), joint.product);
    } else {
      for (const { labels, count } of cells.counts(request.id)) {
        const patients = count();
        addTotal(request.id, patients);
        const [first = '', second = ''] = Object.entries(labels).map(([name, code]) => `${name}=${code}`);
        counts.set(key(first, second), patients);
      }
    }
  }
  if (new Set(totals.values()).size > 1)
    throw new ClientError(
      'STATISTIC_UNDEFINED',
      'The regression is not defined: not all of its variables are recorded in all patients.',
    );
  for (const [name, count] of counts) sums.set(name, exact(count));
  return sums;
}

const groupKey = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, code]) => `${name}=${code}`)
    .join('');

const key = (first: string, second: string): string => [first, second].sort().join('*');

function solved(
  cells: Cells,
  { outcome }: AnalysisOf<'linearRegression'>,
  terms: readonly Term[],
  of: (key: string) => number,
  level: number,
): LinearRegression {
  const product = (first: Term, second: Term): number => inUnits(cells, first, second, of);
  const y = { name: outcome };
  return linearRegression(
    {
      terms: terms.map(termName),
      products: terms.map((first) => terms.map((second) => product(first, second))),
      outcomeProducts: terms.map((term) => product(term, y)),
      outcomeSquares: product(y, y),
    },
    level,
  );
}

/** The sum of the products of two terms, in the numbers' own units. */
function inUnits(cells: Cells, first: Term, second: Term, of: (key: string) => number): number {
  const [a, b] = [first, second].map(({ name, code }) => ({
    number: name !== undefined && code === undefined ? name : undefined,
    group: code === undefined ? '' : `${name ?? ''}=${code}`,
    variable: name,
  }));
  if (!a || !b) throw new TypeError('a product has two terms');
  if (a.number !== undefined && b.number !== undefined) {
    const [x, y] = [cells.scaling(a.number), cells.scaling(b.number)];
    return (
      of('') * x.middle * y.middle +
      x.middle * y.half * of(key(b.number, '')) +
      y.middle * x.half * of(key(a.number, '')) +
      x.half * y.half * of(key(a.number, b.number))
    );
  }
  const number = a.number ?? b.number;
  const group = a.number === undefined ? a.group : b.group;
  if (number !== undefined) {
    const { middle, half } = cells.scaling(number);
    return of(group) * middle + half * of(key(number, group));
  }
  if (a.group === b.group || b.group === '') return of(a.group);
  if (a.group === '') return of(b.group);
  return a.variable === b.variable ? 0 : of(key(a.group, b.group));
}
