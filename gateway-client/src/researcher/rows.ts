import type { AnalysisStatistic, PlanRow, PlanStatistic, SurvivalStatistic } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { exact, mean, oddsRatio, proportion, sampleVariance, type Measured } from '../statistics/index.js';
import type { ReleasedCells } from './result.js';

/** What is estimated with an interval. */
export type Estimand =
  | 'proportion'
  | 'mean'
  | 'meanDifference'
  | 'oddsRatio'
  | 'riskRatio'
  | 'riskDifference'
  | 'commonOddsRatio'
  | 'correlation'
  | 'coefficient'
  | 'survival'
  | 'medianSurvival'
  | 'quantile';

/** What a number of a result is. */
export type Quantity =
  | 'count'
  /** Of whom the count is. */
  | 'patients'
  | 'sum'
  | 'variance'
  | 'standardDeviation'
  | 'standardError'
  | 'atRisk'
  | 'events'
  | 'censored'
  | 'statistic'
  | 'degreesOfFreedom'
  | 'denominatorDegreesOfFreedom'
  | 'pValue'
  | 'cramersV'
  /** The least count that independence lets expect: below 5 the chi-square test is rough. */
  | 'smallestExpected'
  | 'rSquared'
  | 'adjustedRSquared'
  | 'residualStandardError'
  | Estimand
  | `${Estimand}Lower`
  | `${Estimand}Upper`;

/** One line of a result. */
export interface ResultRow {
  /** Id of the statistic in the query. */
  statistic: string;
  quantity: Quantity;
  /** The group: variable to level; both rows and columns for the cells of a table. Also `test`, `term` and the like. */
  labels: Record<string, string>;
  /** Null where the count gate or an institution kept the group back, or the number is not defined. */
  measured: Measured | null;
  /** Why there is no number: `kept back`, or what is missing. */
  note?: string;
}

/**
 * The lines of one released statistic.
 *
 * A 2x2 table compares the first level of its rows with the second; the first level of its columns is the event. The
 * schema fixes the order of levels.
 */
export function rowsOf(result: ReleasedCells, statistic: AnalysisStatistic): ResultRow[] {
  switch (statistic.kind) {
    case 'count':
    case 'correlation':
    case 'logistic':
      return statistic.rows.map((row) => line(statistic, 'count', row.labels, countOf(result, row)));
    case 'mean':
    case 'variance':
      return statistic.rows.flatMap((row) => momentsOf(result, statistic, row));
    case 'crosstab':
      return tableOf(result, statistic);
    case 'survival':
      return intervalsOf(result, statistic);
  }
}

/** Events and censored patients in each interval, under the names of their columns. */
function intervalsOf(result: ReleasedCells, statistic: SurvivalStatistic): ResultRow[] {
  return statistic.rows.flatMap(({ labels, count, points }) => [
    line(statistic, 'count', labels, countOf(result, { count })),
    ...points.flatMap(({ time, events, censored }) => [
      line(
        statistic,
        'count',
        { ...labels, [statistic.variable]: `event@${time}` },
        countOf(result, { count: events }),
      ),
      line(
        statistic,
        'count',
        { ...labels, [statistic.variable]: `censored@${time}` },
        countOf(result, { count: censored }),
      ),
    ]),
  ]);
}

function momentsOf(result: ReleasedCells, statistic: PlanStatistic, row: PlanRow): ResultRow[] {
  const { labels } = row;
  const count = countOf(result, row);
  const sum = result.values.get(row.sum ?? '');
  const scaling = result.plan.scaling[statistic.variable ?? ''];
  const sums = count && sum && { count: count.value, sum };
  const rows = [
    line(statistic, 'count', labels, count),
    triedLine(statistic, 'mean', labels, () => sums && scaling && mean(sums, scaling)),
  ];
  if (statistic.kind === 'mean') return rows;
  const squares = result.values.get(row.squares ?? '');
  const variance = () => sums && squares && scaling && sampleVariance({ ...sums, squares }, scaling);
  return [...rows, triedLine(statistic, 'variance', labels, variance)];
}

function tableOf(result: ReleasedCells, statistic: PlanStatistic): ResultRow[] {
  const rows = statistic.rows.map((row) => line(statistic, 'count', row.labels, countOf(result, row)));
  // The planner makes the rows' variable the slowest of a table; a third variable before it makes several tables.
  const [rowVariable = '', columnVariable = '', third] = Object.keys(statistic.rows[0]?.labels ?? {});
  if (third !== undefined) return rows;
  const rowLevels = [...new Set(rows.map(({ labels }) => labels[rowVariable] ?? ''))];
  const columnLevels = [...new Set(rows.map(({ labels }) => labels[columnVariable] ?? ''))];
  if (rowLevels.length !== 2 || columnLevels.length !== 2) return rows;
  const [a, b, c, d] = rows.map(({ measured }) => measured?.value);
  const [event = ''] = columnLevels;
  const share = (level: string, events?: number, others?: number): ResultRow =>
    triedLine(statistic, 'proportion', { [rowVariable]: level, [columnVariable]: event }, () =>
      events === undefined || others === undefined
        ? undefined
        : exact(proportion(events, events + others).estimate),
    );
  return [
    ...rows,
    share(rowLevels[0] ?? '', a, b),
    share(rowLevels[1] ?? '', c, d),
    ...oddsRatioRows(statistic, a, b, c, d),
  ];
}

function oddsRatioRows(
  statistic: PlanStatistic,
  a?: number,
  b?: number,
  c?: number,
  d?: number,
): ResultRow[] {
  const known = a !== undefined && b !== undefined && c !== undefined && d !== undefined;
  const ratio = () =>
    known ? oddsRatio({ exposedEvent: a, exposedNone: b, unexposedEvent: c, unexposedNone: d }) : undefined;
  const figure = (of: 'estimate' | 'lower' | 'upper') => () => {
    const found = ratio();
    return found && exact(found[of]);
  };
  return [
    triedLine(statistic, 'oddsRatio', {}, figure('estimate')),
    triedLine(statistic, 'oddsRatioLower', {}, figure('lower')),
    triedLine(statistic, 'oddsRatioUpper', {}, figure('upper')),
  ];
}

/** A line whose number may not be defined, though its cells were released: a group of one patient has no variance. */
function triedLine(
  statistic: Pick<AnalysisStatistic, 'id'>,
  quantity: Quantity,
  labels: Record<string, string>,
  of: () => Measured | undefined,
): ResultRow {
  try {
    return line(statistic, quantity, labels, of());
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'STATISTIC_UNDEFINED')) throw error;
    return { ...line(statistic, quantity, labels, undefined), note: error.message };
  }
}

function countOf({ counts }: ReleasedCells, { count }: Pick<PlanRow, 'count'>): Measured | undefined {
  const value = counts.get(count);
  return value === undefined ? undefined : exact(value);
}

function line(
  { id }: Pick<AnalysisStatistic, 'id'>,
  quantity: Quantity,
  labels: Record<string, string>,
  measured: Measured | undefined,
): ResultRow {
  if (measured && !Number.isFinite(measured.value)) {
    throw new ClientError('RESULT_INVALID', `The ${quantity} of ${id} is not a number.`);
  }
  if (!measured) return { statistic: id, quantity, labels, measured: null, note: 'kept back' };
  return { statistic: id, quantity, labels, measured };
}
