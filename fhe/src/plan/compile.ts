/** A query to cells: every statistic becomes sums over patients of products of columns. */
import { FheError } from '../errors.js';
import { groupingOf, type Query, type StatisticRequest } from '../query/query.js';
import { nearest } from '../query/nearest.js';
import { isLevelled, levelCodes, levelColumn, ROW_COLUMN, validColumn } from '../schema/columns.js';
import { type LevelledVariable, type NumericVariable, type Variable } from '../schema/schema.js';
import { type PlanRow, type PlanStatistic } from './types.js';

/** More cells than this are a sign of a question that nobody will read the answer of. */
const MAXIMUM_CELLS = 512;

/** A cell before levels, noise and cost are known. */
export interface Monomial {
  id: string;
  kind: 'count' | 'value';
  factors: string[];
  countCell: string;
  labels: Record<string, string>;
  statistics: string[];
}

export interface CompiledQuery {
  cells: Monomial[];
  statistics: PlanStatistic[];
}

interface Group {
  labels: Record<string, string>;
  indicators: string[];
}

/**
 * Cells and statistics of a query, cells that several statistics need only once, in the order of first use.
 * @throws FheError QUERY_INVALID, UNKNOWN_VARIABLE, UNKNOWN_LEVEL.
 */
export function compileQuery(query: Query, variables: ReadonlyMap<string, Variable>): CompiledQuery {
  const cells = new Map<string, Monomial>();
  const conditions = compileConditions(query, variables);
  const statistics = query.statistics.map((request) =>
    compileStatistic(request, variables, conditions, (cell) => {
      const known = cells.get(cell.id);
      if (!known) cells.set(cell.id, cell);
      else if (!known.statistics.includes(request.id)) known.statistics.push(request.id);
      if (cells.size > MAXIMUM_CELLS)
        throw invalid(`it asks for more than ${MAXIMUM_CELLS} cells; use variables with fewer levels`);
    }),
  );
  return { cells: [...cells.values()], statistics };
}

function compileConditions(query: Query, variables: ReadonlyMap<string, Variable>): Group {
  const labels: Record<string, string> = {};
  const indicators: string[] = [];
  for (const { variable: name, level } of query.where ?? []) {
    const variable = levelled(name, variables, 'restrict the cohort by');
    const codes = levelCodes(variable);
    if (!codes.includes(level))
      throw new FheError(
        'UNKNOWN_LEVEL',
        `${name} has no level ${level}${suggestion(level, codes)}; its levels are ${codes.slice(0, 12).join(', ')}.`,
      );
    labels[name] = level;
    indicators.push(levelColumn(name, level));
  }
  return { labels, indicators };
}

function compileStatistic(
  request: StatisticRequest,
  variables: ReadonlyMap<string, Variable>,
  conditions: Group,
  add: (cell: Monomial) => void,
): PlanStatistic {
  const measured =
    request.kind === 'mean' || request.kind === 'variance' ? numeric(request.variable, variables) : undefined;
  const rows = groups(request, variables, conditions).map((group): PlanRow => {
    const cell = (kind: Monomial['kind'], columns: string[], countCell?: string): string => {
      const factors = [...columns, ...group.indicators].sort();
      if (factors.length === 0) factors.push(ROW_COLUMN);
      const id = factors.join('*');
      add({
        id,
        kind,
        factors,
        countCell: countCell ?? id,
        labels: group.labels,
        statistics: [request.id],
      });
      return id;
    };
    const labels = withoutConditions(group.labels, conditions.labels);
    if (!measured) return { labels, count: cell('count', []) };
    // A number is 0 where it is not recorded, so sums need no indicator for that; only the count does.
    const count = cell('count', measured.missing ? [validColumn(measured.name)] : []);
    const sum = cell('value', [measured.name], count);
    if (request.kind === 'mean') return { labels, count, sum };
    return { labels, count, sum, squares: cell('value', [measured.name, measured.name], count) };
  });
  return { id: request.id, kind: request.kind, ...(measured && { variable: measured.name }), rows };
}

/** One group for each combination of levels, the first variable slowest. */
function groups(
  request: StatisticRequest,
  variables: ReadonlyMap<string, Variable>,
  conditions: Group,
): Group[] {
  let result: Group[] = [conditions];
  for (const name of groupingOf(request)) {
    const variable = levelled(name, variables, 'group by');
    if (Object.hasOwn(conditions.labels, name))
      throw invalid(`${name} is both a condition and a grouping of ${request.id}`);
    result = result.flatMap((group) =>
      levelCodes(variable).map((code) => ({
        labels: { ...group.labels, [name]: code },
        indicators: [...group.indicators, levelColumn(name, code)],
      })),
    );
  }
  return result;
}

function withoutConditions(
  labels: Record<string, string>,
  conditions: Record<string, string>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !Object.hasOwn(conditions, name)));
}

function numeric(name: string, variables: ReadonlyMap<string, Variable>): NumericVariable {
  const variable = lookUp(name, variables);
  if (variable.kind !== 'numeric')
    throw invalid(`${name} is ${variable.kind}, and a mean or variance needs a number`);
  return variable;
}

function levelled(name: string, variables: ReadonlyMap<string, Variable>, use: string): LevelledVariable {
  const variable = lookUp(name, variables);
  if (!isLevelled(variable)) throw invalid(`${name} is ${variable.kind} and has no levels to ${use}`);
  return variable;
}

function lookUp(name: string, variables: ReadonlyMap<string, Variable>): Variable {
  const variable = variables.get(name);
  if (variable) return variable;
  throw new FheError(
    'UNKNOWN_VARIABLE',
    `The datasets have no variable ${name}${suggestion(name, [...variables.keys()])}.`,
  );
}

function suggestion(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

function invalid(reason: string): FheError {
  return new FheError('QUERY_INVALID', `The query is not valid: ${reason}.`);
}
