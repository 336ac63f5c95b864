import type { Variable } from '@strokeshare/fhe';
import {
  forestPicture,
  histogramPicture,
  scalePicture,
  survivalPicture,
  type Picture,
} from '../pictures/index.js';
import type { Analysis, AnalysisKind, AnalysisOf } from './analysis/index.js';
import type { Quantity, ResultRow } from './rows.js';

const DRAWN: readonly AnalysisKind[] = [
  'kaplanMeier',
  'fixedEffect',
  'mantelHaenszel',
  'risk',
  'shift',
  'quantiles',
];

/** What a picture is of. */
export interface PictureOptions {
  /** Id of the statistic; the first that has a picture unless given. */
  statistic?: string | undefined;
  title: string;
  /** Of the datasets' schema: their words and units stand where codes would. */
  variables?: readonly Variable[];
}

/** The picture of a result: survival curves, a forest plot, bars of a scale, a histogram. What was kept back is not drawn. */
export function pictureOf(
  rows: readonly ResultRow[],
  analyses: readonly Analysis[],
  { statistic, title, variables = [] }: PictureOptions,
): Picture | undefined {
  const analysis = analyses.find(({ id, kind }) =>
    statistic === undefined ? DRAWN.includes(kind) : id === statistic,
  );
  if (!analysis) return undefined;
  const figures = new Figures(
    rows.filter((row) => row.statistic === analysis.id && row.measured !== null),
    variables,
  );
  switch (analysis.kind) {
    case 'kaplanMeier':
      return curves(figures, analysis, title);
    case 'risk':
    case 'fixedEffect':
    case 'mantelHaenszel':
      return forest(figures, analysis, title);
    case 'shift': {
      const { exposure, scale } = analysis;
      const counts = figures.of('count').map((row) => ({
        group: figures.level(exposure.variable, row.labels),
        level: figures.level(scale, row.labels),
        count: figures.value(row),
      }));
      return counts.length > 0
        ? scalePicture(counts, {
            title,
            scale: figures.variable(scale),
            group: figures.variable(exposure.variable),
          })
        : undefined;
    }
    case 'quantiles': {
      const bins = figures.of('count').map((row, i) => ({
        lower: analysis.edges[i] ?? 0,
        upper: analysis.edges[i + 1] ?? 0,
        count: figures.value(row),
      }));
      return bins.length === analysis.edges.length - 1
        ? histogramPicture(bins, { title, axis: figures.variable(analysis.variable) })
        : undefined;
    }
    default:
      return undefined;
  }
}

/** The released figures of one statistic, and the schema's words for their groups. */
class Figures {
  constructor(
    private readonly rows: readonly ResultRow[],
    private readonly variables: readonly Variable[],
  ) {}

  of(quantity: Quantity): ResultRow[] {
    return this.rows.filter((row) => row.quantity === quantity);
  }

  value({ measured }: ResultRow): number {
    return measured?.value ?? Number.NaN;
  }

  /** Another figure of the same group. */
  beside({ labels }: ResultRow, quantity: Quantity): number {
    const text = JSON.stringify(labels);
    const row = this.of(quantity).find((one) => JSON.stringify(one.labels) === text);
    return row ? this.value(row) : Number.NaN;
  }

  schemaOf(name: string): Variable | undefined {
    return this.variables.find((variable) => variable.name === name);
  }

  variable(name: string): string {
    const found = this.schemaOf(name);
    const unit = found && 'unit' in found && found.unit !== undefined ? ` (${found.unit})` : '';
    return `${found?.description ?? name}${unit}`;
  }

  /** A group's level in words; several levels are joined by a plus in its label. */
  level(name: string, labels: Record<string, string>): string {
    const code = labels[name] ?? '';
    const found = this.schemaOf(name);
    const levels = found && 'levels' in found ? found.levels : [];
    const word = (one: string): string | undefined =>
      found?.kind === 'boolean'
        ? `${one === 'true' ? '' : 'no '}${found.description ?? name}`
        : levels.find((level) => level.code === one)?.label;
    return (
      word(code) ??
      code
        .split('+')
        .map((one) => word(one) ?? one)
        .join(' or ')
    );
  }
}

function curves(
  figures: Figures,
  { variable, by: [group] = [] }: AnalysisOf<'kaplanMeier'>,
  title: string,
): Picture | undefined {
  const steps = figures.of('survival');
  const nameOf = ({ labels }: ResultRow): string =>
    group === undefined ? 'all' : figures.level(group, labels);
  const drawn = [...new Set(steps.map(nameOf))].map((name) => {
    const own = steps
      .filter((row) => nameOf(row) === name)
      .map((row) => ({
        time: Number(row.labels[variable]),
        survival: figures.value(row),
        lower: figures.beside(row, 'survivalLower'),
        upper: figures.beside(row, 'survivalUpper'),
        atRisk: figures.beside(row, 'atRisk'),
        events: figures.beside(row, 'events'),
        censored: figures.beside(row, 'censored'),
        standardError: 0,
      }));
    return { name, patients: own[0]?.atRisk ?? 0, steps: own };
  });
  if (drawn.length === 0) return undefined;
  const time = figures.schemaOf(variable);
  const unit = time?.kind === 'timeToEvent' ? time.unit : 'as in the schema';
  return survivalPicture(drawn, { title, unit, group: group === undefined ? '' : figures.variable(group) });
}

function forest(
  figures: Figures,
  analysis: AnalysisOf<'risk' | 'fixedEffect' | 'mantelHaenszel'>,
  title: string,
): Picture | undefined {
  const lines = figures.of('oddsRatio').map((row) => {
    const stratum =
      'strata' in analysis && row.labels[analysis.strata] !== undefined ? analysis.strata : undefined;
    const [lower, upper] = [figures.beside(row, 'oddsRatioLower'), figures.beside(row, 'oddsRatioUpper')];
    return {
      name:
        stratum === undefined
          ? analysis.kind === 'risk'
            ? analysis.id
            : 'pooled'
          : figures.level(stratum, row.labels),
      ...{ estimate: figures.value(row), lower, upper },
      isPooled: stratum === undefined && analysis.kind !== 'risk',
      // As inverse variances weigh: the width of the interval is that of so many standard errors.
      precision: Math.log(upper / lower) ** -2,
    };
  });
  const all = lines.reduce((sum, { isPooled, precision }) => sum + (isPooled ? 0 : precision), 0);
  return lines.length > 0
    ? forestPicture(
        lines.map(({ precision, ...line }) => (line.isPooled ? line : { ...line, weight: precision / all })),
        {
          ...{ title, measure: 'Odds ratio', level: analysis.level },
          ...('strata' in analysis && { group: figures.variable(analysis.strata) }),
        },
      )
    : undefined;
}
