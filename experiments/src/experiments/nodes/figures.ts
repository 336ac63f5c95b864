import type { TopLevelSpec } from 'vega-lite';
import type { MedianRow, SimulatedRow } from './rows.js';

const institutions = {
  field: 'institutions',
  type: 'quantitative',
  title: 'institutions',
  scale: { type: 'log', base: 2 },
} as const;

const seconds = { type: 'quantitative', title: 'milliseconds', scale: { type: 'log' } } as const;

/** Time of one batch by number of institutions, measured with intervals, and simulated beyond what a machine runs. */
export function timeFigure(measured: readonly MedianRow[], simulated: readonly SimulatedRow[]): TopLevelSpec {
  const points = measured
    .filter(({ quantity }) => quantity === 'shared')
    .map((row) => ({ ...row, series: `${row.network}, ${row.scheme}` }));
  const beyond = simulated.map((row) => ({ ...row, series: 'simulated, pow' }));
  const x = institutions;
  const color = { field: 'series', type: 'nominal', title: 'ledger, scheme', sort: null } as const;
  return {
    title: 'Time to share one record batch (median, 95% interval)',
    width: 560,
    height: 340,
    layer: [
      {
        data: { values: points },
        mark: { type: 'line', point: true },
        encoding: { x, color, y: { ...seconds, field: 'median' } },
      },
      {
        data: { values: points },
        mark: { type: 'rule' },
        encoding: { x, color, y: { ...seconds, field: 'low' }, y2: { field: 'high' } },
      },
      {
        data: { values: beyond },
        mark: { type: 'line', strokeDash: [5, 4], point: { shape: 'cross' } },
        encoding: { x, color, y: { ...seconds, field: 'median' } },
      },
    ],
  };
}

/** Batches per second, many at the same time. */
export function rateFigure(measured: readonly MedianRow[]): TopLevelSpec {
  const points = measured
    .filter(({ quantity }) => quantity === 'rate')
    .map((row) => ({ ...row, series: `${row.network}, ${row.scheme}` }));
  const x = institutions;
  const color = { field: 'series', type: 'nominal', title: 'ledger, scheme', sort: null } as const;
  const y = { type: 'quantitative', title: 'batches per second' } as const;
  return {
    title: 'Throughput of sharing (median and range of the repetitions)',
    width: 560,
    height: 300,
    data: { values: points },
    layer: [
      {
        mark: { type: 'line', point: true },
        encoding: { x, color, y: { ...y, field: 'median' } },
      },
      {
        mark: { type: 'rule' },
        encoding: { x, color, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
    ],
  };
}

const PARTS = ['endorse', 'commit', 'work', 'seal'];

/** The parts of one batch's time under proof of work. */
export function partsFigure(measured: readonly MedianRow[]): TopLevelSpec {
  const parts = measured
    .filter(({ scheme, quantity }) => scheme === 'pow' && PARTS.includes(quantity))
    .map((row) => ({ ...row, order: PARTS.indexOf(row.quantity) }));
  return {
    title: 'Where the time of one batch goes under proof of work (medians)',
    data: { values: parts },
    facet: { column: { field: 'network', type: 'nominal', title: null, sort: null } },
    spec: {
      width: 170,
      height: 260,
      mark: 'bar',
      encoding: {
        x: { field: 'institutions', type: 'ordinal', title: 'institutions', axis: { labelAngle: 0 } },
        y: { field: 'median', type: 'quantitative', title: 'milliseconds', stack: 'zero' },
        color: { field: 'quantity', type: 'nominal', title: 'part', sort: PARTS },
        order: { field: 'order', type: 'quantitative' },
      },
    },
  };
}
