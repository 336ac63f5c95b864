/**
 * How an institution stores its columns: alone, or two in one ciphertext (the first in the real, the second in the
 * imaginary half of the slots), and with fewer primes where no plan multiplies them. Part of a dataset's public
 * description: every party plans with the same layout.
 */
import { z } from 'zod';
import { FheError } from '../errors.js';
import { describeIssues } from '../schema/issues.js';

const column = z.string().min(1).max(200);

/** The shape of a layout; {@link parseLayout} gives friendlier errors. */
export const layoutShape = z
  .strictObject({
    /** Columns stored two in a ciphertext, which is named `first&second`. */
    pairs: z.array(z.tuple([column, column])).max(500),
    /** Columns of pairs that are stored alone, too: squares and products of both need one of them. */
    alone: z.array(column).max(1000).optional(),
    /** Stored ciphertexts (columns or pairs) that no plan multiplies: kept at two primes. */
    linear: z.array(column).max(1000).optional(),
  })
  .refine(({ pairs }) => new Set(pairs.flat()).size === 2 * pairs.length, 'has a column in two pairs');

export type Layout = z.infer<typeof layoutShape>;

/** Primes of a ciphertext that is only added. */
export const LINEAR_PRIMES = 2;

/** A ciphertext of a layout: what it is called, holds and how many data primes it has. */
export interface StoredColumn {
  readonly name: string;
  readonly parts: readonly [string] | readonly [string, string];
  readonly primes: number;
}

/** Values to encrypt: a column, or two in one ciphertext. */
export interface PackedColumn {
  readonly parts: readonly [Float64Array] | readonly [Float64Array, Float64Array];
  /** The level; all data primes unless given. */
  readonly primes?: number;
}

/**
 * Checks a layout that came from a file or the ledger.
 * @throws FheError LAYOUT_INVALID with the place and the reason.
 */
export function parseLayout(input: unknown): Layout {
  const result = layoutShape.safeParse(input);
  if (!result.success)
    throw new FheError('LAYOUT_INVALID', `The layout is not valid: ${describeIssues(result.error)}.`, {
      cause: result.error,
    });
  return result.data;
}

/** What the ciphertext of a pair is called. */
export const pairName = (first: string, second: string): string => `${first}&${second}`;

/**
 * The ciphertexts of a batch under a layout.
 * @param columns all columns of the schema, as `schemaColumns` names them
 * @throws FheError LAYOUT_INVALID if the layout names what does not exist
 */
export function storedColumns(
  columns: readonly string[],
  layout: Layout,
  set: { readonly dataPrimes: number },
): StoredColumn[] {
  const paired = new Set(layout.pairs.flat());
  const alone = new Set(layout.alone ?? []);
  const linear = new Set(layout.linear ?? []);
  const known = new Set(columns);
  for (const name of [...paired, ...alone]) if (!known.has(name)) throw invalid(`there is no column ${name}`);
  const stored = [
    ...columns
      .filter((name) => !paired.has(name) || alone.has(name))
      .map((name) => ({ name, parts: [name] as const })),
    ...layout.pairs.map((parts) => ({ name: pairName(...parts), parts })),
  ];
  for (const name of linear)
    if (!stored.some((item) => item.name === name)) throw invalid(`it stores no ciphertext ${name}`);
  return stored.map((item) => ({
    ...item,
    primes: linear.has(item.name) ? Math.min(LINEAR_PRIMES, set.dataPrimes) : set.dataPrimes,
  }));
}

/**
 * The packed columns of one batch, arranged for encryption.
 * @throws FheError LAYOUT_INVALID
 */
export function layOut(
  columns: ReadonlyMap<string, Float64Array>,
  layout: Layout,
  set: { readonly dataPrimes: number },
): Map<string, PackedColumn> {
  const values = (name: string): Float64Array => columns.get(name) ?? new Float64Array();
  return new Map(
    storedColumns([...columns.keys()], layout, set).map(({ name, parts: [first, second], primes }) => [
      name,
      { parts: second === undefined ? [values(first)] : [values(first), values(second)], primes },
    ]),
  );
}

function invalid(reason: string): FheError {
  return new FheError('LAYOUT_INVALID', `The layout is not valid: ${reason}.`);
}
