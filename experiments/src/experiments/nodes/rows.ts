import { type Summary, summarize } from '../../statistics/summary.js';
import type { Measurement, Quantity } from './measure.js';

/** All repetitions of one figure together. */
export type MedianRow = Summary & Omit<Measurement, 'value'>;

/** What the simulator says for a number of institutions. */
export type SimulatedRow = Summary & {
  readonly institutions: number;
  readonly stale: number;
  readonly staleFormula: number;
};

/** Medians and intervals, in the order of measurement. */
export function medians(measurements: readonly Measurement[]): MedianRow[] {
  const groups = new Map<string, Measurement[]>();
  for (const row of measurements) {
    const key = JSON.stringify([row.network, row.institutions, row.scheme, row.quantity]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { network, institutions, scheme, quantity } = first;
    return [{ network, institutions, scheme, quantity, ...summarize(group.map(({ value }) => value)) }];
  });
}

/** The row of one figure. */
export function find(
  rows: readonly MedianRow[],
  network: string,
  institutions: number,
  scheme: 'none' | 'pow',
  quantity: Quantity,
): MedianRow | undefined {
  return rows.find(
    (row) =>
      row.network === network &&
      row.institutions === institutions &&
      row.scheme === scheme &&
      row.quantity === quantity,
  );
}

/** Medians by number of institutions, for a fit. */
export const series = (
  rows: readonly MedianRow[],
  network: string,
  scheme: 'none' | 'pow',
  quantity: Quantity,
): [number, number][] =>
  rows
    .filter((row) => row.network === network && row.scheme === scheme && row.quantity === quantity)
    .map(({ institutions, median }) => [institutions, median]);
