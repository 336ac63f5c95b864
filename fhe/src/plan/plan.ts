/**
 * The planner: a pure function from query, schemas and parameter set to everything that every party computes, checks
 * and pays for. It runs in contracts, so the same input gives the same plan on every machine.
 */
import { logisticFormat } from '../aggregate/logistic.js';
import { canonicalJson, sha256Hex } from '../bytes/canonical.js';
import { type Layout } from '../columns/layout.js';
import { FheError } from '../errors.js';
import { parameterSet, type ParameterSet } from '../params/index.js';
import { type AnalysisQuery, planVariables, type Query } from '../query/query.js';
import { type Rational } from '../release/rational.js';
import { levelColumn, type Scaling, scalingOf } from '../schema/columns.js';
import { type Schema, type Variable } from '../schema/schema.js';
import { comparedVariables, compileComparisons } from './comparisons.js';
import { compileQuery } from './compile.js';
import { costOf } from './cost.js';
import { scientific } from './integers.js';
import { NoiseModel, type NoisyValue } from './noise.js';
import { choosePairs, linearPrimes, type PackedMonomial } from './pairs.js';
import { buildTrees, depthOf, type TreeProduct } from './tree.js';
import {
  type AnalysisPlan,
  type AnalysisStatistic,
  type LogisticStatistic,
  type Plan,
  type PlanCell,
  type PlanContext,
  type PlanVector,
  type RationalText,
} from './types.js';
import { commonVariables } from './variables.js';

/** Sets in the order in which they are offered when a plan does not fit its own. */
const OFFERED = ['additive', 'standard', 'deep'] as const;

/** Deviations of the flooding noise that the capacity check leaves room for. */
const FLOODING_TAIL = 12n;

/** What is known of a cell once its level is chosen. */
interface Released {
  value: NoisyValue;
  bound: bigint;
  sigma: bigint;
  error: Rational;
}

/**
 * Compiles a query to the cells that are evaluated and released.
 *
 * Linear cells are released at two primes. A product is computed at the smallest level that has room for it, its
 * inputs switched down beforehand; it is rescaled between products and never after the last one.
 * @param schemas of every dataset of the job; the variables used must be defined alike in all of them.
 * @param layout how every institution stores its columns; each alone unless given. Two columns in one ciphertext are
 * used where one product then serves two cells, or where a column is stored in no other way.
 * @param comparisons ids of counts (indicator columns, joined by `*`) that nobody asked for: they are evaluated for
 * disclosure control alone, and belong to no statistic.
 * @throws FheError QUERY_INVALID, UNKNOWN_VARIABLE, UNKNOWN_LEVEL, SCHEMA_MISMATCH; PLAN_INVALID for an impossible
 * context, a comparison of other columns, or a column that the layout does not store as it is needed; PLAN_TOO_DEEP
 * with the parameter set that would do; CAPACITY_EXCEEDED if the sums or their noise leave no room.
 */
export function plan(
  query: Query,
  schemas: readonly Schema[],
  set: ParameterSet,
  context: PlanContext,
  layout?: Layout,
  comparisons?: readonly string[],
): Plan;
export function plan(
  query: AnalysisQuery,
  schemas: readonly Schema[],
  set: ParameterSet,
  context: PlanContext,
  layout?: Layout,
  comparisons?: readonly string[],
): AnalysisPlan;
export function plan(
  query: AnalysisQuery,
  schemas: readonly Schema[],
  set: ParameterSet,
  context: PlanContext,
  layout: Layout = { pairs: [] },
  comparisons: readonly string[] = [],
): AnalysisPlan {
  checkContext(context);
  const compared = comparedVariables(comparisons);
  const variables = commonVariables(schemas, [...planVariables(query), ...compared]);
  const compiled = compileQuery(query, variables);
  const monomials = [...compiled.cells, ...compileComparisons(comparisons, compiled.cells, variables)];
  const depth = Math.max(...monomials.map((cell) => depthOf(cell.factors.length)));
  if (depth > set.depth) throw tooDeep(depth, set);

  const packed = choosePairs(monomials, layout);
  const { cells, products } = releasePlan(packed, set, context);
  const columns = [...new Set(packed.flatMap((cell) => cell.stored))].sort();
  const columnPrimes = linearPrimes(columns, layout, set);
  const content = {
    version: 1 as const,
    parameterSetId: set.id,
    context: { ...context },
    columns,
    ...(columnPrimes && { columnPrimes }),
    scaling: scalings(query, variables),
    products,
    cells,
    ...vectorOf(compiled.statistics, set, context),
    statistics: compiled.statistics,
    cost: costOf(
      { columns, ...(columnPrimes && { columnPrimes }), products, cells },
      set,
      context.batches,
      context.institutions,
    ),
  };
  return { ...content, hash: sha256Hex(canonicalJson(content)) };
}

/** SHA-256 over the canonical JSON (RFC 8785) of a plan without its `hash` field, in hex. */
export function planHash(plan: AnalysisPlan): string {
  const { hash: _, ...content } = plan;
  return sha256Hex(canonicalJson(content));
}

function checkContext(context: PlanContext): void {
  const { holders, threshold, institutions, batches } = context;
  const whole = [holders, threshold, institutions, batches].every((n) => Number.isSafeInteger(n) && n >= 1);
  if (!whole || holders > 32 || threshold > holders || batches < institutions || batches > 10_000_000)
    throw new FheError(
      'PLAN_INVALID',
      'A plan needs 1 to 32 holders, a threshold of at most as many, and at least one batch for each institution.',
    );
}

function tooDeep(depth: number, set: ParameterSet): FheError {
  const other = OFFERED.map((name) => parameterSet(name)).find((candidate) => candidate.depth >= depth);
  const advice = other
    ? `the set ${other.name} would do`
    : 'no parameter set does; ask with fewer conditions or groupings';
  return new FheError(
    'PLAN_TOO_DEEP',
    `The query needs ${depth} levels of multiplication and the set ${set.name} has ${set.depth}: ${advice}.`,
  );
}

function releasePlan(
  monomials: readonly PackedMonomial[],
  set: ParameterSet,
  context: PlanContext,
): { cells: PlanCell[]; products: Plan['products'] } {
  const noise = new NoiseModel(set, context.holders);
  const levels = new Map<string, number>();
  const shape = ({ stored, pair }: PackedMonomial): string => `${stored.length}${pair ? '&' : ''}`;
  for (const monomial of monomials)
    if (!levels.has(shape(monomial)))
      levels.set(shape(monomial), smallestLevel(monomial, noise, set, context));

  const inputs = monomials.map((monomial) => ({
    factors: monomial.stored,
    primes: levels.get(shape(monomial)) ?? 0,
  }));
  const tree = buildTrees(inputs);
  const values = productValues(tree.products, noise, set, pairValues(monomials, noise));
  const cells = monomials.map((monomial, i): PlanCell => {
    const operands = tree.operands[i] ?? [];
    const primes = inputs[i]?.primes ?? 0;
    const released = release(operands, primes, values, noise, context);
    if (!hasRoom(released, primes, noise, context)) throw noRoom(set);
    if (monomial.kind === 'count' && 16n * released.error.numerator >= released.error.denominator)
      throw new FheError(
        'CAPACITY_EXCEEDED',
        `With ${context.batches} batches the counts could not be told exactly under the set ${set.name}.`,
      );
    return {
      id: monomial.id,
      kind: monomial.kind,
      ...(monomial.comparison && { comparison: true as const }),
      factors: monomial.factors,
      operands: operands as PlanCell['operands'],
      ...(monomial.coefficient === 'half' && { coefficient: 'half' as const }),
      primes,
      scale: text(released.value.scale),
      countCell: monomial.countCell,
      noiseBound: released.bound.toString(),
      sigma: released.sigma.toString(),
      errorDeviation: scientific(released.error.numerator, released.error.denominator),
      labels: monomial.labels,
      statistics: monomial.statistics,
    };
  });
  const products = tree.products.map((product) => ({
    ...product,
    scale: text(valueOf(product.id, values, noise).scale),
  }));
  return { cells, products };
}

/** The fewest primes at which a cell of so many factors, with or without a pair among them, has room. */
function smallestLevel(
  { stored, pair }: PackedMonomial,
  noise: NoiseModel,
  set: ParameterSet,
  context: PlanContext,
): number {
  const rounds = Math.max(1, depthOf(stored.length));
  const names = stored.map((_, i) => String(i));
  const inputs = new Map(pair ? [['0', noise.fresh(true)]] : []);
  for (let primes = Math.min(2, set.dataPrimes); primes + rounds - 1 <= set.dataPrimes; primes++) {
    const { operands, products } = buildTrees([{ factors: names, primes }]);
    const values = productValues(products, noise, set, inputs);
    const released = release(operands[0] ?? [], primes, values, noise, context);
    if (hasRoom(released, primes, noise, context)) return primes;
  }
  throw noRoom(set);
}

/** The pairs among the inputs; all other inputs are plain columns. */
function pairValues(monomials: readonly PackedMonomial[], noise: NoiseModel): Map<string, NoisyValue> {
  return new Map(monomials.flatMap(({ pair }) => (pair ? [[pair, noise.fresh(true)]] : [])));
}

/** Noise and scale of every inner product, after relinearisation and rescaling; and of the pairs. */
function productValues(
  products: readonly TreeProduct[],
  noise: NoiseModel,
  set: ParameterSet,
  pairs: ReadonlyMap<string, NoisyValue>,
): Map<string, NoisyValue> {
  const values = new Map(pairs);
  for (const { id, left, right, primes } of products) {
    const product = noise.product(valueOf(left, values, noise), valueOf(right, values, noise));
    const relinearized = noise.sum(product, 1, { times: 1, primes: primes + 1 });
    if (!noise.fits(product, 1, noise.bound(relinearized), primes + 1)) throw noRoom(set);
    values.set(id, noise.rescaled(relinearized, primes + 1));
  }
  return values;
}

function release(
  operands: readonly string[],
  primes: number,
  values: ReadonlyMap<string, NoisyValue>,
  noise: NoiseModel,
  context: PlanContext,
): Released {
  const [a, b] = operands.map((name) => valueOf(name, values, noise));
  if (!a) throw new RangeError('a cell has an operand');
  const value = noise.sum(b ? noise.product(a, b) : a, context.batches, {
    times: b ? context.institutions : 0,
    primes,
  });
  const bound = noise.bound(value);
  const sigma = noise.flooding(bound);
  return { value, bound, sigma, error: noise.releasedError(value, sigma, context.threshold) };
}

function hasRoom(released: Released, primes: number, noise: NoiseModel, context: PlanContext): boolean {
  const margin = released.bound + BigInt(context.threshold) * FLOODING_TAIL * released.sigma;
  return noise.fits(released.value, context.batches, margin, primes);
}

/** A product's value, or that of a fresh column. */
function valueOf(name: string, values: ReadonlyMap<string, NoisyValue>, noise: NoiseModel): NoisyValue {
  return values.get(name) ?? noise.fresh();
}

/** The vector of the plan's regression, where it has one. */
function vectorOf(
  statistics: readonly AnalysisStatistic[],
  { slots }: ParameterSet,
  { batches, institutions }: PlanContext,
): { vector?: PlanVector } {
  for (const statistic of statistics) {
    if (statistic.kind !== 'logistic') continue;
    const format = logisticFormat(statistic.coefficients.length, batches * slots, institutions);
    const [row] = statistic.rows;
    return {
      vector: { statistic: statistic.id, countCell: row?.count ?? '', model: modelOf(statistic), format },
    };
  }
  return {};
}

function modelOf({ outcome, terms }: LogisticStatistic): string {
  const name = (term: { variable: string; level?: string }): string =>
    term.level === undefined ? term.variable : levelColumn(term.variable, term.level);
  return `${name(outcome)}~${terms.map(name).sort().join('+')}`;
}

function scalings(query: AnalysisQuery, variables: ReadonlyMap<string, Variable>): Record<string, Scaling> {
  const result: Record<string, Scaling> = {};
  for (const name of planVariables(query)) {
    const variable = variables.get(name);
    if (variable?.kind === 'numeric') result[name] = scalingOf(variable);
  }
  return result;
}

function text(scale: Rational): RationalText {
  return { numerator: scale.numerator.toString(), denominator: scale.denominator.toString() };
}

function noRoom(set: ParameterSet): FheError {
  return new FheError(
    'CAPACITY_EXCEEDED',
    `The sums over so many batches leave no room for the noise under the set ${set.name}.`,
  );
}
