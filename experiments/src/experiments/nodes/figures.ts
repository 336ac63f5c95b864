import type { TopLevelSpec } from 'vega-lite';
import type { MedianRow, SimulatedRow } from './rows.js';

const x = {
  field: 'institutions',
  type: 'quantitative',
  title: 'institutions',
  scale: { type: 'log', base: 2 },
  axis: { values: [1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1000] as number[] },
} as const;
const color = { field: 'network', type: 'nominal', title: 'ledger', sort: null } as const;
const strokeDash = {
  field: 'scheme',
  type: 'nominal',
  title: 'scheme',
  scale: {
    domain: ['none', 'pow'] as string[],
    range: [
      [1, 0],
      [6, 4],
    ] as number[][],
  },
} as const;
const SIZE = { width: 560, height: 320 };

/** Time of one batch by number of institutions, measured with intervals, and simulated beyond what a machine runs. */
export function timeFigure(measured: readonly MedianRow[], simulated: readonly SimulatedRow[]): TopLevelSpec {
  const points = [
    ...measured.filter(({ quantity }) => quantity === 'shared'),
    ...simulated.map((row) => ({ ...row, network: 'simulated', scheme: 'pow' })),
  ];
  return medianFigure('Time to share one record batch (median, 95% interval)', points, {
    type: 'quantitative',
    title: 'milliseconds',
    scale: { type: 'log' },
  });
}

/** Batches per second, many at the same time. */
export function rateFigure(measured: readonly MedianRow[]): TopLevelSpec {
  const points = measured.filter(({ quantity }) => quantity === 'rate');
  return medianFigure('Throughput of sharing (median and range of the repetitions)', points, {
    type: 'quantitative',
    title: 'batches per second',
  });
}

function medianFigure(title: string, values: readonly object[], y: object): TopLevelSpec {
  return {
    title,
    ...SIZE,
    data: { values },
    layer: [
      { mark: 'line', encoding: { x, color, strokeDash, y: { ...y, field: 'median' } } },
      {
        mark: { type: 'point', filled: true, size: 35 },
        encoding: { x, color, y: { ...y, field: 'median' } },
      },
      { mark: 'rule', encoding: { x, color, y: { ...y, field: 'low' }, y2: { field: 'high' } } },
    ],
  } as TopLevelSpec;
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
    resolve: { scale: { x: 'independent' } },
  };
}
