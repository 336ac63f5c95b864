import { namesTitle, STYLE, type Picture } from './render.js';

/** One group's patients at one level of a scale. */
export interface ScaleCount {
  group: string;
  level: string;
  count: number;
}

/** Stacked bars of an ordered scale, one for each group: how the modified Rankin scale is shown ("Grotta bars"). */
export function scalePicture(
  counts: readonly ScaleCount[],
  { title, scale, group }: { title: string; scale: string; /** What the groups are of. */ group?: string },
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
    axis: { ...namesTitle(group), labelLimit: 0 },
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
            // Words take more room than the bars are wide.
            legend: { title: scale, orient: 'bottom', ...(isWide(levels) && { columns: 3 }) },
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

const isWide = (levels: readonly string[]): boolean => levels.join('').length + 4 * levels.length > 80;

/** A histogram from binned counts; where bins differ in width their areas compare, and the counts stand above them. */
export function histogramPicture(
  bins: readonly { lower: number; upper: number; count: number }[],
  { title, axis }: { title: string; axis: string },
): Picture {
  const widths = bins.map(({ lower, upper }) => upper - lower);
  const isEven = Math.max(...widths) - Math.min(...widths) <= 1e-9 * Math.max(...widths);
  const values = bins.map((bin, i) => ({
    ...bin,
    height: isEven ? bin.count : bin.count / (widths[i] ?? 1),
    middle: (bin.lower + bin.upper) / 2,
  }));
  const y = {
    field: 'height',
    type: 'quantitative' as const,
    scale: { domainMin: 0, ...(values.every(({ height }) => height === 0) && { domainMax: 1 }) },
    axis: { title: isEven ? 'Patients' : 'Patients per unit', ...(isEven && { tickMinStep: 1 }) },
  };
  return {
    ...STYLE,
    title,
    width: 560,
    height: 300,
    data: { values },
    layer: [
      {
        mark: { type: 'bar', color: '#0072B2', binSpacing: 1 },
        encoding: {
          x: { field: 'lower', type: 'quantitative', bin: 'binned', axis: { title: axis } },
          x2: { field: 'upper' },
          y,
        },
      },
      {
        mark: { type: 'text', baseline: 'bottom', dy: -2, fontSize: 11 },
        encoding: {
          x: { field: 'middle', type: 'quantitative' },
          y,
          text: { field: 'count', type: 'quantitative' },
        },
      },
    ],
  };
}
