import type { Picture } from '@strokeshare/gateway-client';
import type { ComparedNumber } from '../study/ask.js';

/** Smallest difference that the logarithmic axis shows; exact agreement is drawn there. */
const FLOOR = 1e-18;
/** What has to agree closer, p values that are all but 0, would take most of the axis. */
const SMALLEST_TOLERANCE = 1e-16;

/** The difference of every noisy number against its tolerance: all points lie below the line. */
export function differencePicture(numbers: readonly ComparedNumber[]): Picture {
  const values = numbers
    .filter(({ tolerance }) => tolerance > SMALLEST_TOLERANCE)
    .map(({ row, encrypted, plain, tolerance }) => ({
      quantity: row.quantity,
      difference: Math.max(FLOOR, Math.abs((encrypted ?? 0) - (plain ?? 0))),
      tolerance,
    }));
  const bounds = values.map(({ tolerance }) => tolerance);
  const [from, to] = [Math.min(...bounds) / 2, Math.max(...bounds) * 2];
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    title: { text: 'Differences between encrypted and plain results', anchor: 'start' },
    width: 560,
    height: 380,
    layer: [
      {
        data: {
          values: [
            { tolerance: from, difference: from },
            { tolerance: to, difference: to },
          ],
        },
        mark: { type: 'line', strokeDash: [5, 4], color: '#888' },
        encoding: {
          x: { field: 'tolerance', type: 'quantitative' },
          y: { field: 'difference', type: 'quantitative' },
        },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 45, opacity: 0.75 },
        encoding: {
          x: {
            field: 'tolerance',
            type: 'quantitative',
            scale: { type: 'log', domain: [from, to], nice: false },
            axis: { title: 'Tolerance (dashed: difference = tolerance)', format: '.0e', labelOverlap: true },
          },
          y: {
            field: 'difference',
            type: 'quantitative',
            scale: { type: 'log' },
            axis: { title: 'Difference', format: '.0e', labelOverlap: true },
          },
          color: { field: 'quantity', type: 'nominal', legend: { title: 'Number', columns: 1 } },
        },
      },
    ],
  };
}
