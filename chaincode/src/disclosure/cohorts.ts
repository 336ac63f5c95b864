/**
 * Cohorts as their count cells name them: products of indicator columns, over the versions of some datasets. From the
 * names alone it follows which cohort lies within which; nothing is asked about the patients.
 */
import { ROW_COLUMN } from '@strokeshare/fhe';
import { byText } from '../api/canonical.js';

/** One counted cohort. */
export interface Cohort {
  /** Id of the count cell. */
  readonly cell: string;
  /** Dataset to the Merkle root of the version that was used: only the same root is certainly the same patients. */
  readonly data: Readonly<Record<string, string>>;
  /** Products of numbers whose sums over this cohort are asked for: `AGE`, `AGE*RSBP`. */
  readonly numbers: readonly string[];
}

/** Indicator columns of a count cell; every patient has the row indicator. */
export const indicatorsOf = (cell: string): string[] => cell.split('*').filter((name) => name !== ROW_COLUMN);

/** The numeric columns of a value cell, as one name. */
export const numbersOf = (cell: string): string =>
  cell
    .split('*')
    .filter((name) => name !== ROW_COLUMN && !/[=:]/.test(name))
    .join('*');

/** The cohorts that a job asks for. A regression's model is one of the numbers of its cohort, at any coefficients. */
export function cohortsOf(
  cells: readonly { id: string; kind: 'count' | 'value'; countCell: string; comparison?: true | undefined }[],
  data: Cohort['data'],
  vector?: { countCell: string; model: string },
): Cohort[] {
  const values = cells.filter(({ kind }) => kind === 'value');
  return cells
    .filter(({ kind, comparison }) => kind === 'count' && !comparison)
    .map(({ id }) => ({
      cell: id,
      data,
      numbers: [
        ...values.filter(({ countCell }) => countCell === id).map((value) => numbersOf(value.id)),
        ...(vector?.countCell === id ? [vector.model] : []),
      ],
    }));
}

/** The variable whose values the column tells apart (a level, an interval of its grid); none for `X:valid`. */
export function splitVariable(column: string): string | undefined {
  const match = /^([A-Za-z0-9_]+)(?:=|:event@|:censored@)/.exec(column);
  return match?.[1];
}

/** Two cohorts with the same key are the same patients. */
export const cohortKey = (indicators: readonly string[], data: Cohort['data']): string =>
  JSON.stringify([[...new Set(indicators)].sort(byText), entries(data)]);

const entries = (data: Cohort['data']): [string, string][] =>
  Object.entries(data).sort(([a], [b]) => byText(a, b));

/** Whether every patient of `a` is certainly one of `b`, and why: by conditions, or because values are missing. */
export function within(a: Cohort, b: Cohort): 'conditions' | 'missing' | 'same' | undefined {
  const roots = Object.entries(a.data);
  if (!roots.every(([id, root]) => b.data[id] === root)) return undefined;
  const own = new Set(indicatorsOf(a.cell));
  const needed = indicatorsOf(b.cell);
  if (!needed.every((column) => own.has(column) || isImplied(column, own))) return undefined;
  const more = [...own].filter((column) => !needed.includes(column));
  if (roots.length < Object.keys(b.data).length) return 'conditions';
  if (more.length === 0) return 'same';
  return more.every((column) => column.endsWith(':valid')) ? 'missing' : 'conditions';
}

/** Whoever has a level or an interval of a variable has a value of it. */
export function isImplied(column: string, own: ReadonlySet<string>): boolean {
  const [name, valid] = column.split(':');
  return valid === 'valid' && [...own].some((other) => splitVariable(other) === name);
}

/** The same conditions on the same datasets, some in another version: patients came or went in between. */
export function sameInOtherVersions(a: Cohort, b: Cohort): boolean {
  const [one, other] = [entries(a.data), entries(b.data)];
  return (
    one.length === other.length &&
    one.every(([id], i) => other[i]?.[0] === id) &&
    one.some(([, root], i) => other[i]?.[1] !== root) &&
    cohortKey(indicatorsOf(a.cell), {}) === cohortKey(indicatorsOf(b.cell), {})
  );
}
