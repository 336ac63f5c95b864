import { type Summary, summarize } from '../../statistics/summary.js';

export type Method = 'StrokeShare' | 'central server' | 'whole file';
export type Temperature = 'cold' | 'warm';

/** One query. */
export interface Query {
  readonly method: Method;
  readonly temperature: Temperature;
  readonly milliseconds: number;
  readonly bytes: number;
}

export type MethodRow = Summary & {
  readonly method: Method;
  readonly temperature: Temperature;
  readonly quantity: 'milliseconds' | 'bytes';
};

/** What a way of sharing costs before the first query. */
export interface SetupRow {
  readonly method: Method;
  readonly what: string;
  readonly seconds: number;
}

/** Medians and intervals of both quantities. */
export function medians(queries: readonly Query[]): MethodRow[] {
  const keys = [
    ...new Set(queries.map(({ method, temperature }) => JSON.stringify([method, temperature]))),
  ].map((key) => JSON.parse(key) as [Method, Temperature]);
  return keys.flatMap(([method, temperature]) => {
    const own = queries.filter((query) => query.method === method && query.temperature === temperature);
    return (['milliseconds', 'bytes'] as const).map((quantity) => ({
      method,
      temperature,
      quantity,
      ...summarize(own.map((query) => query[quantity])),
    }));
  });
}
