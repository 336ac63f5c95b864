import { STYLE, type Picture } from './render.js';

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
  }: {
    title: string;
    measure: string;
    isRatio?: boolean;
    better?: readonly [left: string, right: string];
    /** Of the intervals. */
    level?: number;
  },
): Picture {
  const none = isRatio ? 1 : 0;
  const values = lines.map((line) => ({
    ...line,
    weight: line.weight ?? 0.3,
    shape: line.isPooled ? 'diamond' : 'square',
    text: `${figure(line.estimate)} (${figure(line.lower)} to ${figure(line.upper)})`,
  }));
  const order = lines.map(({ name }) => name);
  const bounds = [...lines.flatMap(({ lower, upper }) => [lower, upper]), none];
  const domain = isRatio
    ? [Math.min(...bounds) / 1.1, Math.max(...bounds) * 1.1]
    : [Math.min(...bounds) * 1.1, Math.max(...bounds) * 1.1];
  const y = {
    field: 'name',
    type: 'nominal' as const,
    sort: order,
    axis: { title: null, ticks: false, domain: false, labelLimit: 0 },
  };
  const x = {
    field: 'estimate',
    type: 'quantitative' as const,
    scale: { type: isRatio ? ('log' as const) : ('linear' as const), domain, nice: false },
    axis: {
      title: better ? `\u2190 ${better[0]}\u2003\u2003${measure}\u2003\u2003${better[1]} \u2192` : measure,
      grid: false,
      ...(isRatio ? { values: ratioTicks(domain[0] ?? 0.1, domain[1] ?? 10), format: '.2~f' } : {}),
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

function figure(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function ratioTicks(from: number, to: number): number[] {
  const all = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.33, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 4, 5, 10, 20, 50,
    100,
  ];
  const within = all.filter((tick) => tick >= from && tick <= to);
  return within.length > 9
    ? within.filter((tick) => tick === 1 || within.indexOf(tick) % 2 === within.indexOf(1) % 2)
    : within;
}
