import type { TopLevelSpec } from 'vega-lite';
import type { MethodRow } from './rows.js';

const METHODS = ['StrokeShare', 'central server', 'whole file'];

/** Times and bytes of one query, side by side on logarithmic axes. */
export function sharingFigure(rows: readonly MethodRow[]): TopLevelSpec {
  const panel = (quantity: MethodRow['quantity'], title: string): object => {
    // Nothing has no place on a logarithmic axis.
    const values = rows.filter((row) => row.quantity === quantity && row.median > 0);
    const x = { field: 'method', type: 'nominal', title: null, sort: METHODS, axis: { labelAngle: 0 } };
    const shared = {
      x,
      xOffset: { field: 'temperature', sort: ['cold', 'warm'] },
      color: { field: 'temperature', type: 'nominal', title: 'query', sort: ['cold', 'warm'] },
    };
    const y = { type: 'quantitative', scale: { type: 'log' }, title };
    return {
      width: 300,
      height: 300,
      data: { values },
      layer: [
        {
          mark: { type: 'point', filled: true, size: 90 },
          encoding: { ...shared, y: { ...y, field: 'median' } },
        },
        {
          mark: { type: 'rule' },
          encoding: { ...shared, y: { ...y, field: 'low' }, y2: { field: 'high' } },
        },
      ],
    };
  };
  return {
    title: 'One query on the same data source (median, 95% interval)',
    hconcat: [panel('milliseconds', 'milliseconds'), panel('bytes', 'bytes of the researcher’s connections')],
  } as TopLevelSpec;
}
