import type { SurvivalStep } from '../statistics/index.js';
import { COLOURS, STYLE, type Picture } from './render.js';

/** One curve. */
export interface Curve {
  name: string;
  /** Patients at the start. */
  patients: number;
  steps: readonly SurvivalStep[];
}

/** Lines of the first colours, then of the same again. */
const DASHES = [
  [1, 0],
  [6, 3],
  [2, 2],
];

/** Columns of numbers at risk, at most. */
const RISK_COLUMNS = 8;

/** Kaplan-Meier curves with their intervals and, below, the numbers at risk. */
export function survivalPicture(
  curves: readonly Curve[],
  { title, unit, group = '' }: { title: string; unit: string; group?: string },
): Picture {
  const end = Math.max(...curves.flatMap(({ steps }) => steps.map(({ time }) => time)));
  const points = curves.flatMap(({ name, steps }) => [
    { curve: name, time: 0, survival: 1, lower: 1, upper: 1 },
    ...steps.map(({ time, survival, lower, upper }) => ({ curve: name, time, survival, lower, upper })),
  ]);
  const times = riskTimes(
    [...new Set(curves.flatMap(({ steps }) => steps.map(({ time }) => time)))].sort(byTime),
  );
  // A curve may end before others, where its intervals were kept back: nobody knows how many are at risk behind it.
  const risk = curves.flatMap(({ name, patients, steps }) =>
    times
      .filter((time) => time <= (steps.at(-1)?.time ?? 0))
      .map((time) => ({ curve: name, time, atRisk: atRiskBehind(patients, steps, time) })),
  );
  const order = curves.map(({ name }) => name);
  const x = {
    field: 'time',
    type: 'quantitative' as const,
    scale: { domain: [0, end], nice: false },
  };
  const colour = {
    field: 'curve',
    type: 'nominal' as const,
    sort: order,
    legend: curves.length > 1 ? { title: group, orient: 'right' as const, symbolOpacity: 1 } : null,
  };
  // When the colours come round again, the lines are broken.
  const dash = {
    field: 'curve',
    type: 'nominal' as const,
    sort: order,
    scale: { domain: order, range: order.map((_, i) => DASHES[Math.floor(i / COLOURS.length)] ?? [1, 2]) },
    legend: colour.legend,
  };
  return {
    ...STYLE,
    title,
    vconcat: [
      {
        width: 560,
        height: 300,
        data: { values: points },
        layer: [
          {
            mark: { type: 'area', interpolate: 'step-after', opacity: 0.15 },
            encoding: {
              x,
              y: { field: 'lower', type: 'quantitative' },
              y2: { field: 'upper' },
              color: colour,
            },
          },
          {
            mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
            encoding: {
              x: { ...x, axis: { title: `Time (${unit})` } },
              y: {
                field: 'survival',
                type: 'quantitative',
                scale: { domain: [0, 1] },
                axis: { title: 'Survival', format: '%' },
              },
              color: colour,
              ...(curves.length > COLOURS.length && { strokeDash: dash }),
            },
          },
        ],
      },
      {
        title: { text: 'Patients at risk', fontSize: 13, fontWeight: 'normal' },
        width: 560,
        height: { step: 20 },
        data: { values: risk },
        mark: { type: 'text', fontSize: 12 },
        encoding: {
          x: { ...x, axis: null },
          y: {
            field: 'curve',
            type: 'nominal',
            sort: order,
            axis: { title: null, ticks: false, domain: false, offset: 36, labelLimit: 0 },
          },
          text: { field: 'atRisk', type: 'quantitative' },
          color: { ...colour, legend: null },
        },
      },
    ],
    resolve: { scale: { color: 'shared' } },
  };
}

const byTime = (a: number, b: number): number => a - b;

/** Start, end and points in between that leave room for their numbers. */
function riskTimes(times: readonly number[]): number[] {
  const end = times.at(-1) ?? 0;
  const chosen = [0];
  for (const time of times) {
    const last = chosen.at(-1) ?? 0;
    if (time - last >= end / RISK_COLUMNS && (time === end || end - time >= end / RISK_COLUMNS / 2))
      chosen.push(time);
  }
  if (chosen.at(-1) !== end) chosen.push(end);
  return chosen;
}

function atRiskBehind(patients: number, steps: readonly SurvivalStep[], time: number): number {
  const last = steps.filter((step) => step.time <= time).at(-1);
  return last ? last.atRisk - last.events - last.censored : patients;
}
