import type { Query, Schema, StatisticRequest } from '@strokeshare/fhe';
import type { FieldValue } from '@strokeshare/fhe';
import type { ResultRow } from '../researcher/index.js';
import { exact, oddsRatio } from '../statistics/index.js';

type Values = Readonly<Record<string, FieldValue>>;
type Row = ResultRow & { measured: NonNullable<ResultRow['measured']> };

/**
 * The same statistics straight from pooled records, by the textbook's formulas (variance in two passes): what an
 * encrypted result is compared with. Shares nothing with plans, cells or columns.
 */
export function plainRows(query: Query, schema: Schema, records: readonly Values[]): Row[] {
  const cohort = records.filter((record) =>
    (query.where ?? []).every(({ variable, level }) => String(record[variable]) === level),
  );
  return query.statistics.flatMap((request) => rowsOf(request, schema, cohort));
}

function rowsOf(request: StatisticRequest, schema: Schema, cohort: readonly Values[]): Row[] {
  const groups = request.by ?? [];
  const by = request.kind === 'crosstab' ? [...groups, request.rows, request.columns] : groups;
  const row = (quantity: Row['quantity'], labels: Row['labels'], value: number): Row => ({
    statistic: request.id,
    quantity,
    labels,
    measured: exact(value),
  });
  const rows = groupsOf(schema, by).flatMap((labels) => {
    const group = cohort.filter((record) =>
      Object.entries(labels).every(([name, level]) => String(record[name]) === level),
    );
    if (request.kind === 'count' || request.kind === 'crosstab') return [row('count', labels, group.length)];
    const numbers = group
      .map((record) => record[request.variable])
      .filter((value) => typeof value === 'number');
    const average = sum(numbers) / numbers.length;
    const moments = [row('count', labels, numbers.length), row('mean', labels, average)];
    if (request.kind === 'mean') return moments;
    const squares = sum(numbers.map((value) => (value - average) ** 2));
    return [...moments, row('variance', labels, squares / (numbers.length - 1))];
  });
  return request.kind === 'crosstab' ? [...rows, ...twoByTwo(rows, row)] : rows;
}

function twoByTwo(
  rows: readonly Row[],
  row: (quantity: Row['quantity'], labels: Row['labels'], value: number) => Row,
): Row[] {
  const [a, b, c, d, extra] = rows;
  if (!a || !b || !c || !d || extra) return [];
  const [exposedEvent, exposedNone, unexposedEvent, unexposedNone] = [a, b, c, d].map(
    (r) => r.measured.value,
  ) as [number, number, number, number];
  const ratio = oddsRatio({ exposedEvent, exposedNone, unexposedEvent, unexposedNone });
  return [
    row('proportion', a.labels, exposedEvent / (exposedEvent + exposedNone)),
    row('proportion', c.labels, unexposedEvent / (unexposedEvent + unexposedNone)),
    row('oddsRatio', {}, ratio.estimate),
    row('oddsRatioLower', {}, ratio.lower),
    row('oddsRatioUpper', {}, ratio.upper),
  ];
}

/** All combinations of levels, the first variable slowest. */
function groupsOf(schema: Schema, by: readonly string[]): Record<string, string>[] {
  return by.reduce<Record<string, string>[]>(
    (groups, name) =>
      groups.flatMap((group) => levelsOf(schema, name).map((level) => ({ ...group, [name]: level }))),
    [{}],
  );
}

function levelsOf(schema: Schema, name: string): string[] {
  const variable = schema.variables.find((candidate) => candidate.name === name);
  if (!variable) return [];
  if (variable.kind === 'boolean') return ['true', 'false'];
  return 'levels' in variable ? variable.levels.map(({ code }) => code) : [];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
