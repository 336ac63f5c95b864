import { ClientError } from '../../errors.js';
import { exact, type Measured } from '../../statistics/index.js';
import type { Quantity, ResultRow } from '../rows.js';
import { KeptBack } from './cells.js';

/** Numbers by what they are. */
export type Figures = Partial<Record<Quantity, number>>;
type MeasuredFigures = Partial<Record<Quantity, Measured>>;

/** A part of a result that is computed together: kept back together where one of its cells was. */
export interface Part {
  labels?: Record<string, string>;
  /** What the part has, in the order of its lines. */
  quantities: readonly Quantity[];
  /** Throws {@link KeptBack}, or ClientError `STATISTIC_UNDEFINED` or `NOT_CONVERGED`. */
  figures: () => Figures | MeasuredFigures;
}

/** The lines of a part; where it cannot be computed they say why. */
export function linesOf(statistic: string, { labels = {}, quantities, figures }: Part): ResultRow[] {
  const row = (quantity: Quantity, measured: Measured | null, note?: string): ResultRow => ({
    statistic,
    quantity,
    labels,
    measured,
    ...(note !== undefined && { note }),
  });
  let values: Figures | MeasuredFigures;
  try {
    values = figures();
  } catch (error) {
    const note = reasonOf(error);
    return quantities.map((quantity) => row(quantity, null, note));
  }
  return quantities.map((quantity) => {
    const value = values[quantity];
    if (value === undefined) return row(quantity, null, 'not reached');
    const measured = typeof value === 'number' ? exact(value) : value;
    if (Number.isFinite(measured.value)) return row(quantity, measured);
    return row(quantity, null, Number.isNaN(measured.value) ? 'not defined' : 'not bounded');
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof KeptBack) return 'kept back';
  if (
    error instanceof ClientError &&
    (error.code === 'STATISTIC_UNDEFINED' || error.code === 'NOT_CONVERGED')
  )
    return error.message;
  throw error;
}

/**
 * Figures of measured numbers, each with the deviation that the numbers' independent errors cause; see `propagated`.
 */
export function measuredFigures(
  inputs: readonly Measured[],
  of: (values: readonly number[]) => Figures,
): MeasuredFigures {
  const values = inputs.map(({ value }) => value);
  const base = of(values);
  const moved = inputs.flatMap(({ value, deviation }, i) =>
    deviation === 0
      ? []
      : [{ up: of(values.with(i, value + deviation)), down: of(values.with(i, value - deviation)) }],
  );
  const entries = Object.entries(base) as [Quantity, number][];
  return Object.fromEntries(
    entries.map(([quantity, value]) => [
      quantity,
      {
        value,
        deviation: Math.hypot(
          ...moved.map(({ up, down }) => ((up[quantity] ?? value) - (down[quantity] ?? value)) / 2),
        ),
      },
    ]),
  );
}
