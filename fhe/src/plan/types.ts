/** What a plan says. Everything a contract decides on is an integer or a decimal string; the plan is plain JSON. */
import { type FixedPointFormat } from '../aggregate/fixedPoint.js';
import { type Scaling } from '../schema/columns.js';

/** Circumstances that the noise bound and the cost depend on, the same for every party of a job. */
export interface PlanContext {
  /** Members of the key epoch, each with its own summand of the secret key. */
  holders: number;
  /** Holders whose shares release a cell together. */
  threshold: number;
  /** Institutions whose partial results are added. */
  institutions: number;
  /** Batches of all institutions together. */
  batches: number;
}

/** An exact scale, as decimal strings. */
export interface RationalText {
  numerator: string;
  denominator: string;
}

/** A product that several cells may share: relinearised and rescaled, for every batch. */
export interface PlanProduct {
  /** `<left>*<right>@<primes>`. */
  id: string;
  /** Operands: column names or product ids. */
  left: string;
  right: string;
  /** Primes left after rescaling; both operands are brought to one more before they are multiplied. */
  primes: number;
  scale: RationalText;
}

/** One number to be released: the sum over all patients of a product of columns. */
export interface PlanCell {
  /** The factors in order, joined by `*`. */
  id: string;
  /** A count is a whole number, and gates itself. */
  kind: 'count' | 'value';
  /** Counted for disclosure control alone: key holders open it among themselves, and it is never released. */
  comparison?: true;
  factors: string[];
  /**
   * The stored column itself, or the two operands of the last product (stored columns or products). A stored column
   * may hold two columns, `first&second`.
   */
  operands: [string] | [string, string];
  /** Which coefficient to release: the constant one unless the cell is in the imaginary half of its ciphertext. */
  coefficient?: 'half';
  /** Primes at release. */
  primes: number;
  scale: RationalText;
  /** The cell whose count must reach the minimum cohort before this one is released. */
  countCell: string;
  /** Worst-case bound B on the noise of the coefficient to be released, in units of the coefficient. */
  noiseBound: string;
  /** Deviation of the flooding noise that every holder adds, in units of the coefficient. */
  sigma: string;
  /** Deviation of the released sum's error when `threshold` holders share, e.g. `7.31204e-5`; in units of the sum. */
  errorDeviation: string;
  /** The group that the cell describes: variable to level. */
  labels: Record<string, string>;
  /** Ids of the statistics that use the cell. */
  statistics: string[];
}

/** One line of a statistic: the cells that it is computed from. */
export interface PlanRow {
  labels: Record<string, string>;
  count: string;
  sum?: string;
  squares?: string;
}

export interface PlanStatistic {
  id: string;
  kind: 'count' | 'mean' | 'variance' | 'crosstab';
  /** Of mean and variance. */
  variable?: string;
  rows: PlanRow[];
}

/** Sums over the patients that have both variables. */
export interface CorrelationRow {
  labels: Record<string, string>;
  count: string;
  /** Of the first variable and of the other: sum and sum of squares. */
  sum: string;
  squares: string;
  otherSum: string;
  otherSquares: string;
  /** Sum of the products of both. */
  product: string;
}

export interface CorrelationStatistic {
  id: string;
  kind: 'correlation';
  variables: [string, string];
  rows: CorrelationRow[];
}

export interface SurvivalRow {
  labels: Record<string, string>;
  /** Patients whose time is recorded. */
  count: string;
  /** For each interval, named by the grid point that ends it, the cells of events and of censorings. */
  points: { time: number; events: string; censored: string }[];
}

export interface SurvivalStatistic {
  id: string;
  kind: 'survival';
  variable: string;
  rows: SurvivalRow[];
}

/** One step of a logistic regression; its sums are the plan's vector. */
export interface LogisticStatistic {
  id: string;
  kind: 'logistic';
  outcome: { variable: string; level: string };
  /** Behind the intercept: a number, (value - middle) / half, or 1 where the variable has the level. */
  terms: LogisticTerm[];
  /** The intercept's, then one for every term, in units of 2^-40. */
  coefficients: number[];
  /** The patients that have all of its variables. */
  rows: { labels: Record<string, string>; count: string }[];
}

export type LogisticTerm =
  { variable: string; middle: number; half: number } | { variable: string; level: string };

export type AnalysisStatistic = PlanStatistic | CorrelationStatistic | SurvivalStatistic | LogisticStatistic;

/**
 * Sums that institutions compute in plain and share out among the holders: they never touch the collective key, and
 * take nothing of its flooding budget.
 */
export interface PlanVector {
  /** The statistic that it is of. */
  statistic: string;
  /** The cell whose count must reach the minimum cohort before anything is shared out. */
  countCell: string;
  /** What is explained by what, whatever the coefficients: `DEAD=true~AGE+SEX=M`. */
  model: string;
  format: FixedPointFormat;
}

/** What a piece of work takes. */
export interface Cost {
  /** Levels of multiplication. */
  depth: number;
  multiplications: number;
  relinearizations: number;
  /** Bytes of ciphertext that the evaluators read. */
  bytesIn: number;
  /** Bytes of the partial results that they write. */
  bytesOut: number;
  /** Work by the fixed table of `cost.ts`: about milliseconds of one core. */
  units: number;
}

export interface Plan<Statistic extends AnalysisStatistic = PlanStatistic> {
  version: 1;
  parameterSetId: string;
  context: PlanContext;
  /** Stored columns that the evaluator needs of every batch, sorted. */
  columns: string[];
  /** Data primes of stored columns that are kept at fewer than all. */
  columnPrimes?: Record<string, number>;
  /** How the numeric variables that are used were scaled. */
  scaling: Record<string, Scaling>;
  products: PlanProduct[];
  cells: PlanCell[];
  /** Of a regression. */
  vector?: PlanVector;
  statistics: Statistic[];
  /** For all institutions and batches together. */
  cost: Cost;
  /** SHA-256 of the plan's canonical JSON without this field. */
  hash: string;
}

/** The plan of a query that may ask for correlations, survival and regression, too. */
export type AnalysisPlan = Plan<AnalysisStatistic>;
