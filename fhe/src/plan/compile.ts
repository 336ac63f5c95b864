/** A query to cells: every statistic becomes sums over patients of products of columns. */
import { FheError } from '../errors.js';
import {
  type AnalysisQuery,
  type AnalysisRequest,
  groupingOf,
  type LogisticRequest,
} from '../query/query.js';
import { nearest } from '../query/nearest.js';
import {
  censoredColumn,
  eventColumn,
  isLevelled,
  levelCodes,
  levelColumn,
  ROW_COLUMN,
  scalingOf,
  validColumn,
} from '../schema/columns.js';
import {
  type LevelledVariable,
  type NumericVariable,
  type TimeToEventVariable,
  type Variable,
} from '../schema/schema.js';
import {
  type AnalysisStatistic,
  type CorrelationRow,
  type LogisticStatistic,
  type LogisticTerm,
  type PlanRow,
  type SurvivalRow,
} from './types.js';

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
  /** Counted for disclosure control alone. */
  comparison?: true;
}

export interface CompiledQuery {
  cells: Monomial[];
  statistics: AnalysisStatistic[];
}

interface Group {
  labels: Record<string, string>;
  indicators: string[];
}

/**
 * Cells and statistics of a query, cells that several statistics need only once, in the order of first use.
 * @throws FheError QUERY_INVALID, UNKNOWN_VARIABLE, UNKNOWN_LEVEL.
 */
export function compileQuery(query: AnalysisQuery, variables: ReadonlyMap<string, Variable>): CompiledQuery {
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

function compileConditions(query: AnalysisQuery, variables: ReadonlyMap<string, Variable>): Group {
  const labels: Record<string, string> = {};
  const indicators: string[] = [];
  for (const { variable: name, level } of query.where ?? []) {
    requireLevel(name, level, variables, 'restrict the cohort by');
    labels[name] = level;
    indicators.push(levelColumn(name, level));
  }
  return { labels, indicators };
}

/** Registers a cell of one group: the sum of a product of columns, counted by another cell or by itself. */
type CellOf = (kind: Monomial['kind'], columns: string[], countCell?: string) => string;

function compileStatistic(
  request: AnalysisRequest,
  variables: ReadonlyMap<string, Variable>,
  conditions: Group,
  add: (cell: Monomial) => void,
): AnalysisStatistic {
  const cellOf =
    (group: Group): CellOf =>
    (kind, columns, countCell) => {
      const factors = [...columns, ...group.indicators].sort();
      if (factors.length === 0) factors.push(ROW_COLUMN);
      const id = factors.join('*');
      const { labels } = group;
      add({ id, kind, factors, countCell: countCell ?? id, labels, statistics: [request.id] });
      return id;
    };
  function rows<Row>(row: (cell: CellOf) => Row): (Row & { labels: Record<string, string> })[] {
    return groups(request, variables, conditions).map((group) => ({
      labels: withoutConditions(group.labels, conditions.labels),
      ...row(cellOf(group)),
    }));
  }
  const { id, kind } = request;
  switch (kind) {
    case 'count':
    case 'crosstab':
      return { id, kind, rows: rows((cell) => ({ count: cell('count', []) })) };
    case 'mean':
    case 'variance': {
      const x = numeric(request.variable, variables);
      return { id, kind, variable: x.name, rows: rows((cell) => moments(x, cell, kind === 'variance')) };
    }
    case 'correlation': {
      const [first, second] = request.variables;
      const x = numeric(first, variables);
      const y = numeric(second, variables);
      return { id, kind, variables: [x.name, y.name], rows: rows((cell) => jointMoments(x, y, cell)) };
    }
    case 'logistic':
      return logisticStep(request, variables, (columns) =>
        rows((cell) => ({ count: cell('count', columns) })),
      );
    case 'survival': {
      const time = timeToEvent(request.variable, variables);
      return { id, kind, variable: time.name, rows: rows((cell) => intervals(time, cell)) };
    }
  }
}

// A number is 0 where it is not recorded, so sums need no indicator for that; only counts do.
function moments(x: NumericVariable, cell: CellOf, squares: boolean): Omit<PlanRow, 'labels'> {
  const count = cell('count', valid(x));
  const sum = cell('value', [x.name], count);
  return squares ? { count, sum, squares: cell('value', [x.name, x.name], count) } : { count, sum };
}

/** Moments over the patients that have both numbers. */
function jointMoments(x: NumericVariable, y: NumericVariable, cell: CellOf): Omit<CorrelationRow, 'labels'> {
  const count = cell('count', [...valid(x), ...valid(y)]);
  return {
    count,
    sum: cell('value', [x.name, ...valid(y)], count),
    squares: cell('value', [x.name, x.name, ...valid(y)], count),
    otherSum: cell('value', [y.name, ...valid(x)], count),
    otherSquares: cell('value', [y.name, y.name, ...valid(x)], count),
    product: cell('value', [x.name, y.name], count),
  };
}

/** A step of a regression over the patients that have all of its variables. */
function logisticStep(
  { id, kind, outcome, terms, coefficients }: LogisticRequest,
  variables: ReadonlyMap<string, Variable>,
  rows: (columns: string[]) => LogisticStatistic['rows'],
): LogisticStatistic {
  const keys = terms.map(({ variable, level }) => JSON.stringify([variable, level]));
  if (new Set(keys).size < keys.length) throw invalid(`${id} has a term twice`);
  if (terms.some(({ variable }) => variable === outcome.variable))
    throw invalid(`${id} explains ${outcome.variable} by itself`);
  const used = [outcome, ...terms].map(({ variable }) => lookUp(variable, variables));
  const columns = [...new Set(used.flatMap(valid))];
  requireLevel(outcome.variable, outcome.level, variables);
  const scaled = terms.map(({ variable, level }): LogisticTerm => {
    if (level === undefined) return { variable, ...scalingOf(numeric(variable, variables)) };
    requireLevel(variable, level, variables);
    return { variable, level };
  });
  return { id, kind, outcome, terms: scaled, coefficients, rows: rows(columns) };
}

/** Every number of events or censorings is a count, and gates itself. */
function intervals(variable: TimeToEventVariable, cell: CellOf): Omit<SurvivalRow, 'labels'> {
  return {
    count: cell('count', valid(variable)),
    points: variable.grid.map((time) => ({
      time,
      events: cell('count', [eventColumn(variable.name, time)]),
      censored: cell('count', [censoredColumn(variable.name, time)]),
    })),
  };
}

function valid(variable: Variable): string[] {
  return variable.missing ? [validColumn(variable.name)] : [];
}

/** One group for each combination of levels, the first variable slowest. */
function groups(
  request: AnalysisRequest,
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
    throw invalid(`${name} is ${variable.kind}, and a mean, variance or correlation needs a number`);
  return variable;
}

function timeToEvent(name: string, variables: ReadonlyMap<string, Variable>): TimeToEventVariable {
  const variable = lookUp(name, variables);
  if (variable.kind !== 'timeToEvent')
    throw invalid(`${name} is ${variable.kind}, and survival needs a time to an event`);
  return variable;
}

function levelled(name: string, variables: ReadonlyMap<string, Variable>, use: string): LevelledVariable {
  const variable = lookUp(name, variables);
  if (!isLevelled(variable)) throw invalid(`${name} is ${variable.kind} and has no levels to ${use}`);
  return variable;
}

function requireLevel(
  name: string,
  level: string,
  variables: ReadonlyMap<string, Variable>,
  use = 'tell apart',
): void {
  const codes = levelCodes(levelled(name, variables, use));
  if (!codes.includes(level))
    throw new FheError(
      'UNKNOWN_LEVEL',
      `${name} has no level ${level}${suggestion(level, codes)}; its levels are ${codes.slice(0, 12).join(', ')}.`,
    );
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
