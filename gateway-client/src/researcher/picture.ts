import {
  forestPicture,
  histogramPicture,
  scalePicture,
  survivalPicture,
  type Picture,
} from '../pictures/index.js';
import type { Analysis, AnalysisKind } from './analysis/index.js';
import type { Quantity, ResultRow } from './rows.js';

const DRAWN: readonly AnalysisKind[] = [
  'kaplanMeier',
  'fixedEffect',
  'mantelHaenszel',
  'risk',
  'shift',
  'quantiles',
];

/**
 * The picture of a result: survival curves, a forest plot, bars of a scale. What was kept back is not drawn.
 *
 * @param statistic - its id; the first that has a picture unless given.
 */
export function pictureOf(
  rows: readonly ResultRow[],
  analyses: readonly Analysis[],
  statistic: string | undefined,
  title: string,
): Picture | undefined {
  const analysis = analyses.find(({ id, kind }) =>
    statistic === undefined ? DRAWN.includes(kind) : id === statistic,
  );
  if (!analysis) return undefined;
  const own = rows.filter((row) => row.statistic === analysis.id && row.measured !== null);
  const value = (row: ResultRow): number => row.measured?.value ?? Number.NaN;
  const find = (quantity: Quantity, labels: Record<string, string>): number => {
    const text = JSON.stringify(labels);
    const row = own.find((one) => one.quantity === quantity && JSON.stringify(one.labels) === text);
    return row ? value(row) : Number.NaN;
  };
  switch (analysis.kind) {
    case 'kaplanMeier': {
      const steps = own.filter(({ quantity }) => quantity === 'survival');
      const groupOf = ({ [analysis.variable]: _, ...group }: Record<string, string>): string =>
        Object.values(group).join(', ');
      const names = [...new Set(steps.map(({ labels }) => groupOf(labels)))];
      const curves = names.map((name) => {
        const mine = steps.filter(({ labels }) => groupOf(labels) === name);
        const curve = mine.map(({ labels }) => ({
          time: Number(labels[analysis.variable]),
          survival: find('survival', labels),
          lower: find('survivalLower', labels),
          upper: find('survivalUpper', labels),
          atRisk: find('atRisk', labels),
          events: find('events', labels),
          censored: find('censored', labels),
          standardError: 0,
        }));
        return { name: name || 'all', patients: curve[0]?.atRisk ?? 0, steps: curve };
      });
      return curves.length > 0
        ? survivalPicture(curves, { title, unit: 'of the schema', group: analysis.by?.[0] ?? '' })
        : undefined;
    }
    case 'risk':
    case 'fixedEffect':
    case 'mantelHaenszel': {
      const lines = own
        .filter(({ quantity }) => quantity === 'oddsRatio')
        .map((row) => ({
          name: Object.values(row.labels).join(', ') || analysis.id,
          estimate: value(row),
          lower: find('oddsRatioLower', row.labels),
          upper: find('oddsRatioUpper', row.labels),
          isPooled: row.labels['pooled'] !== undefined,
        }));
      return lines.length > 0
        ? forestPicture(lines, { title, measure: 'Odds ratio', level: analysis.level })
        : undefined;
    }
    case 'shift': {
      const counts = own
        .filter(({ quantity }) => quantity === 'count')
        .map((row) => ({
          group: row.labels[analysis.exposure.variable] ?? '',
          level: row.labels[analysis.scale] ?? '',
          count: value(row),
        }));
      return counts.length > 0 ? scalePicture(counts, { title, scale: analysis.scale }) : undefined;
    }
    case 'quantiles': {
      const bins = own
        .filter(({ quantity }) => quantity === 'count')
        .map((row, i) => ({
          lower: analysis.edges[i] ?? 0,
          upper: analysis.edges[i + 1] ?? 0,
          count: value(row),
        }));
      return bins.length === analysis.edges.length - 1
        ? histogramPicture(bins, { title, axis: analysis.variable })
        : undefined;
    }
    default:
      return undefined;
  }
}
