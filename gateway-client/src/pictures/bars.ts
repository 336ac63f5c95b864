import { STYLE, type Picture } from './render.js';

/** One group's patients at one level of a scale. */
export interface ScaleCount {
  group: string;
  level: string;
  count: number;
}

/** Stacked bars of an ordered scale, one for each group: how the modified Rankin scale is shown ("Grotta bars"). */
export function scalePicture(
  counts: readonly ScaleCount[],
  { title, scale }: { title: string; scale: string },
): Picture {
  const groups = [...new Set(counts.map(({ group }) => group))];
  const levels = [...new Set(counts.map(({ level }) => level))];
  const values = counts.map(({ group, level, count }) => {
    const own = counts.filter((other) => other.group === group);
    const all = own.reduce((sum, other) => sum + other.count, 0);
    const below = own
      .filter((other) => levels.indexOf(other.level) < levels.indexOf(level))
      .reduce((sum, other) => sum + other.count, 0);
    const share = count / all;
    return {
      group,
      level,
      from: below / all,
      to: (below + count) / all,
      middle: (below + count / 2) / all,
      // Narrow parts have no room for a number.
      text: share >= 0.04 ? `${(100 * share).toFixed(1)}` : '',
      ink: levels.indexOf(level) < levels.length / 2 ? 'black' : 'white',
    };
  });
  const y = {
    field: 'group',
    type: 'nominal',
    sort: groups,
    axis: { title: null, labelLimit: 0 },
  } as const;
  return {
    ...STYLE,
    title,
    width: 600,
    height: { step: 48 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', stroke: 'white', height: { band: 0.7 } },
        encoding: {
          y,
          x: { field: 'from', type: 'quantitative', axis: { title: 'Share of patients', format: '%' } },
          x2: { field: 'to' },
          color: {
            field: 'level',
            type: 'ordinal',
            sort: levels,
            scale: { scheme: 'blues' },
            legend: { title: scale, orient: 'bottom' },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 12 },
        encoding: {
          y,
          x: { field: 'middle', type: 'quantitative' },
          text: { field: 'text', type: 'nominal' },
          color: { field: 'ink', type: 'nominal', scale: null },
        },
      },
    ],
  };
}

/** A histogram from binned counts. */
export function histogramPicture(
  bins: readonly { lower: number; upper: number; count: number }[],
  { title, axis }: { title: string; axis: string },
): Picture {
  return {
    ...STYLE,
    title,
    width: 560,
    height: 300,
    data: { values: bins.map((bin) => ({ ...bin })) },
    mark: { type: 'bar', color: '#0072B2', binSpacing: 1 },
    encoding: {
      x: { field: 'lower', type: 'quantitative', bin: 'binned', axis: { title: axis } },
      x2: { field: 'upper' },
      y: { field: 'count', type: 'quantitative', axis: { title: 'Patients' } },
    },
  };
}
