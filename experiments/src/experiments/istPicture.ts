import type { Picture } from '@strokeshare/gateway-client';
import type { Figure } from './istFigures.js';

/** Published risks as rings, those from ciphertexts as dots: every dot lies in its ring. */
export function figurePicture(figures: readonly Figure[]): Picture {
  const values = figures.flatMap(({ name, risks = [] }) => risks.map((risk) => ({ name, ...risk })));
  const y = {
    field: 'name',
    type: 'nominal' as const,
    sort: figures.map(({ name }) => name),
    axis: { title: null, labelLimit: 0, grid: true },
  };
  const axis = { title: 'Patients with the event, % (logarithmic)', values: [0.5, 1, 2, 5, 10, 20, 50] };
  const x = {
    type: 'quantitative' as const,
    scale: { type: 'log' as const, domain: [0.3, 80], nice: false },
    axis,
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    title: {
      text: 'International Stroke Trial: published (rings) and from ciphertexts (dots)',
      anchor: 'start',
    },
    width: 480,
    height: { step: 28 },
    data: { values },
    layer: [
      {
        mark: { type: 'point', size: 170, strokeWidth: 1.5, color: '#555' },
        encoding: { y, x: { ...x, field: 'published' } },
      },
      {
        mark: { type: 'point', filled: true, size: 45, opacity: 1 },
        encoding: {
          y,
          x: { ...x, field: 'computed' },
          color: {
            field: 'group',
            type: 'nominal',
            sort: values.map(({ group }) => group),
            legend: { title: 'Group' },
            scale: { range: ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'] },
          },
        },
      },
    ],
  };
}
