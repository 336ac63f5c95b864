import { namesTitle, STYLE, type Picture } from './render.js';

/** One line of a forest plot. */
export interface ForestLine {
  name: string;
  estimate: number;
  lower: number;
  upper: number;
  /** Size of the square, where lines have weights: shares that add up to 1. */
  weight?: number;
  /** Drawn as a diamond. */
  isPooled?: boolean;
}

/** A forest plot: estimates with intervals, the figures beside them, and the line of no difference. */
export function forestPicture(
  lines: readonly ForestLine[],
  {
    title,
    measure,
    isRatio = true,
    better,
    level = 0.95,
    group,
  }: {
    title: string;
    measure: string;
    isRatio?: boolean;
    better?: readonly [left: string, right: string];
    /** Of the intervals. */
    level?: number;
    /** What the lines are of. */
    group?: string;
  },
): Picture {
  const none = isRatio ? 1 : 0;
  const values = lines.map((line, i) => ({
    ...line,
    line: i,
    weight: line.weight ?? 0.3,
    shape: line.isPooled ? 'diamond' : 'square',
    text: figures(line),
  }));
  const bounds = [...lines.flatMap(({ lower, upper }) => [lower, upper]), none];
  const domain = padded(Math.min(...bounds), Math.max(...bounds), isRatio);
  const ticks = isRatio ? ratioTicks(...domain) : [];
  const y = {
    field: 'line',
    type: 'ordinal' as const,
    axis: {
      ...namesTitle(group),
      ticks: false,
      domain: false,
      labelLimit: 0,
      // Two lines may have one name.
      labelExpr: `${JSON.stringify(lines.map(({ name }) => name))}[datum.value]`,
    },
  };
  const x = {
    field: 'estimate',
    type: 'quantitative' as const,
    scale: { type: isRatio ? ('log' as const) : ('linear' as const), domain, nice: false },
    axis: {
      title: better ? `\u2190 ${better[0]}\u2003\u2003${measure}\u2003\u2003${better[1]} \u2192` : measure,
      grid: false,
      // Where the line of no difference is alone, the library finds finer steps.
      ...(ticks.length > 2 ? { values: ticks, format: '~g' } : { tickCount: 6 }),
    },
  };
  return {
    ...STYLE,
    config: { ...STYLE.config, view: { stroke: null } },
    title,
    spacing: 24,
    data: { values },
    hconcat: [
      {
        width: 420,
        height: { step: 26 },
        layer: [
          {
            data: { values: [{ none }] },
            mark: { type: 'rule', strokeDash: [4, 4], color: '#888' },
            encoding: { x: { field: 'none', type: 'quantitative' } },
          },
          {
            mark: { type: 'rule', strokeWidth: 1.5 },
            encoding: { y, x: { ...x, field: 'lower' }, x2: { field: 'upper' } },
          },
          {
            mark: { type: 'point', filled: true, opacity: 1, color: '#0072B2' },
            encoding: {
              y,
              x,
              size: {
                field: 'weight',
                type: 'quantitative',
                scale: { domain: [0, 1], range: [40, 260] },
                legend: null,
              },
              shape: {
                field: 'shape',
                type: 'nominal',
                scale: { domain: ['square', 'diamond'], range: ['square', 'diamond'] },
                legend: null,
              },
            },
          },
        ],
      },
      {
        width: 150,
        height: { step: 26 },
        title: {
          text: `${measure} (${String(Number((100 * level).toPrecision(12)))} % interval)`,
          fontSize: 12,
          fontWeight: 'normal',
        },
        mark: { type: 'text', align: 'left', fontSize: 12 },
        encoding: {
          y: { ...y, axis: null },
          x: { value: 8 },
          text: { field: 'text', type: 'nominal' },
        },
      },
    ],
    resolve: { scale: { y: 'independent', x: 'independent' } },
  };
}

/** An estimate with its interval, with as many digits as tell the bounds apart. */
function figures({ estimate, lower, upper }: ForestLine): string {
  const width = upper - lower;
  const digits = width > 0 && width < 0.02 ? Math.min(8, 1 + Math.ceil(-Math.log10(width))) : 2;
  const [middle, from, to] = [estimate, lower, upper].map((value) => figure(value, digits));
  return `${middle} (${from} to ${to})`;
}

function figure(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential(1);
  if (size > 0 && size < 0.01) return value.toPrecision(2);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : digits);
}

/** The range of the axis, a little wider than the intervals. */
function padded(from: number, to: number, isRatio: boolean): [number, number] {
  if (!isRatio) return [from - 0.05 * (to - from || 1), to + 0.05 * (to - from || 1)];
  const factor = Math.max(1.001, (to / from) ** 0.05);
  return [from / factor, to * factor];
}

/** Round ratios within a range, nine at most, 1 always among them. */
function ratioTicks(from: number, to: number): number[] {
  const decades = Math.ceil(Math.log10(to / from));
  if (decades > 3) {
    const step = Math.ceil(decades / 8);
    const powers = Array.from({ length: 41 }, (_, i) => (i - 20) * step);
    return powers.map((power) => Number(`1e${power}`)).filter((tick) => tick >= from && tick <= to);
  }
  const all = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.33, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3,
    4, 5, 10, 20, 50, 100, 200, 500, 1000,
  ];
  const within = all.filter((tick) => tick >= from && tick <= to);
  const every = Math.ceil(within.length / 9);
  const one = within.indexOf(1);
  return within.filter((_, i) => (i - one) % every === 0);
}
