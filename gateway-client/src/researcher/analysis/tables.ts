/** Statistics of counts. */
import { ClientError } from '../../errors.js';
import {
  binnedQuantile,
  chiSquare,
  commonOddsRatio,
  distribution,
  fisherExact,
  oddsRatio,
  opportunityComposite,
  riskDifference,
  riskRatio,
  twoProportionTest,
  type TwoByTwo,
} from '../../statistics/index.js';
import { levelsOf, type Cells } from './cells.js';
import {
  chosen,
  groupsOf,
  none,
  ODDS_RATIO,
  oddsFigures,
  PROPORTION,
  proportionFigures,
  TEST,
  twoByTwo,
} from './groups.js';
import type { AnalysisOf } from './kinds.js';
import type { Part } from './lines.js';

export function proportionParts(cells: Cells, analysis: AnalysisOf<'proportion'>): Part[] {
  const { id, event, by: [group] = [], level, method } = analysis;
  const counts = cells.counts(id);
  const events = chosen(id, levelsOf(counts, event.variable), event.levels);
  const groups = group === undefined ? [undefined] : levelsOf(counts, group);
  return groups.map((code) => {
    const own = counts.filter(({ labels }) => group === undefined || labels[group] === code);
    return {
      labels: {
        ...(group !== undefined && code !== undefined && { [group]: code }),
        [event.variable]: events.join('+'),
      },
      quantities: PROPORTION,
      figures: () => {
        const happened = own.filter(({ labels }) => events.includes(labels[event.variable] ?? ''));
        const [k, n] = [happened, own].map((list) => list.reduce((sum, { count }) => sum + count(), 0));
        return proportionFigures(k ?? 0, n ?? 0, { level, method });
      },
    };
  });
}

export function riskParts(cells: Cells, analysis: AnalysisOf<'risk'>): Part[] {
  const { id, exposure, event, level, difference, alternative } = analysis;
  const [{ table } = none(id)] = cells.tables(id);
  const groups = groupsOf(id, table, exposure);
  const events = chosen(id, table.columns, event.levels);
  const read = (): TwoByTwo => twoByTwo(table, groups, events);
  const eventLabel = { [event.variable]: events.join('+') };
  const ofGroup = (levels: readonly string[], isExposed: boolean): Part => ({
    labels: { [exposure.variable]: levels.join('+'), ...eventLabel },
    quantities: PROPORTION,
    figures: () => {
      const { exposedEvent, exposedNone, unexposedEvent, unexposedNone } = read();
      return isExposed
        ? proportionFigures(exposedEvent, exposedEvent + exposedNone, { level })
        : proportionFigures(unexposedEvent, unexposedEvent + unexposedNone, { level });
    },
  });
  return [
    ofGroup(groups.exposed, true),
    ofGroup(groups.unexposed, false),
    {
      quantities: ['riskDifference', 'riskDifferenceLower', 'riskDifferenceUpper'],
      figures: () => {
        const { estimate, lower, upper } = riskDifference(read(), { level, method: difference });
        return { riskDifference: estimate, riskDifferenceLower: lower, riskDifferenceUpper: upper };
      },
    },
    {
      quantities: ['riskRatio', 'riskRatioLower', 'riskRatioUpper'],
      figures: () => {
        const { estimate, lower, upper } = riskRatio(read(), level);
        return { riskRatio: estimate, riskRatioLower: lower, riskRatioUpper: upper };
      },
    },
    { quantities: ODDS_RATIO, figures: () => oddsFigures(oddsRatio(read(), level)) },
    {
      labels: { test: 'z' },
      quantities: ['statistic', 'pValue'],
      figures: () => ({ ...twoProportionTest(read(), alternative) }),
    },
    {
      labels: { test: 'Fisher' },
      quantities: ['pValue'],
      figures: () => ({ ...fisherExact(read(), alternative) }),
    },
  ];
}

export function chiSquareParts(cells: Cells, { id }: AnalysisOf<'chiSquare'>): Part[] {
  const [{ table } = none(id)] = cells.tables(id);
  const read = (): number[][] =>
    table.rows.map((row) => table.columns.map((column) => table.count(row, column)));
  const isTwoByTwo = table.rows.length === 2 && table.columns.length === 2;
  const parts: Part[] = [
    {
      labels: { test: 'Pearson' },
      quantities: [...TEST, 'cramersV', 'smallestExpected'],
      figures: () => {
        const test = chiSquare(read());
        return { ...figuresOf(test), smallestExpected: Math.min(...test.expected.flat()) };
      },
    },
  ];
  if (!isTwoByTwo) return parts;
  return [
    ...parts,
    {
      labels: { test: 'Yates' },
      quantities: TEST,
      figures: () => figuresOf(chiSquare(read(), { yates: true })),
    },
    {
      labels: { test: 'Fisher' },
      quantities: ['pValue'],
      figures: () => {
        const [[a = 0, b = 0] = [], [c = 0, d = 0] = []] = read();
        return { ...fisherExact({ exposedEvent: a, exposedNone: b, unexposedEvent: c, unexposedNone: d }) };
      },
    },
  ];
}

function figuresOf({ statistic, degreesOfFreedom, pValue, cramersV }: ReturnType<typeof chiSquare>) {
  return { statistic, degreesOfFreedom, pValue, cramersV };
}

export function shiftParts(cells: Cells, analysis: AnalysisOf<'shift'>): Part[] {
  const { id, exposure, scale, level } = analysis;
  const [{ table } = none(id)] = cells.tables(id);
  const groups = groupsOf(id, table, exposure);
  const order = analysis.order ?? table.columns;
  chosen(id, table.columns, order);
  const left = table.columns.filter((code) => !order.includes(code));
  if (left.length > 0)
    throw new ClientError(
      'JOB_FILE_INVALID',
      `The order of ${id} leaves out ${left.join(', ')}: these patients would not count.`,
    );
  const counts = (rows: readonly string[]): number[] =>
    order.map((column) => rows.reduce((sum, row) => sum + table.count(row, column), 0));
  const levels = [groups.exposed, groups.unexposed].flatMap((rows) =>
    order.map((column, i) => ({
      labels: { [exposure.variable]: rows.join('+'), [scale]: column },
      quantities: ['count', 'proportion'] as const,
      figures: () => {
        const { count, proportion: share } = distribution(counts(rows))[i] ?? { count: 0, proportion: 0 };
        return { count, proportion: share };
      },
    })),
  );
  return [
    ...levels,
    {
      quantities: ['commonOddsRatio', 'commonOddsRatioLower', 'commonOddsRatioUpper', 'pValue'],
      figures: () => {
        const { estimate, lower, upper, pValue } = commonOddsRatio(
          { exposed: counts(groups.exposed), unexposed: counts(groups.unexposed) },
          level,
        );
        return {
          commonOddsRatio: estimate,
          commonOddsRatioLower: lower,
          commonOddsRatioUpper: upper,
          pValue,
        };
      },
    },
  ];
}

export function quantileParts(cells: Cells, analysis: AnalysisOf<'quantiles'>): Part[] {
  const { id, edges, probabilities } = analysis;
  const counts = cells.counts(id);
  if (edges.length !== counts.length + 1)
    throw new ClientError(
      'JOB_FILE_INVALID',
      `${id} has ${edges.length} edges: the ${counts.length} levels of its variable have ${counts.length + 1}.`,
    );
  const bars = counts.map(({ labels, count }): Part => ({
    labels,
    quantities: ['count'],
    figures: () => ({ count: count() }),
  }));
  const quantiles = probabilities.map((p): Part => ({
    labels: { probability: String(p) },
    quantities: ['quantile', 'quantileLower', 'quantileUpper'],
    figures: () => {
      const bins = counts.map(({ count }, i) => ({
        lower: edges[i] ?? 0,
        upper: edges[i + 1] ?? 0,
        count: count(),
      }));
      const { estimate, lower, upper } = binnedQuantile(bins, p);
      return { quantile: estimate, quantileLower: lower, quantileUpper: upper };
    },
  }));
  return [...bars, ...quantiles];
}

/** Of every measure the patients it applied to and those in whom it was met; then the share of all opportunities. */
export function compositeParts(cells: Cells, { id, measures, level }: AnalysisOf<'composite'>): Part[] {
  const read = measures.map((name, i) => {
    const counts = cells.counts(`${id}-${i + 1}`);
    const [met = ''] = chosen(id, levelsOf(counts, name));
    return () => ({
      name,
      met: counts.reduce((sum, { labels, count }) => sum + (labels[name] === met ? count() : 0), 0),
      eligible: counts.reduce((sum, { count }) => sum + count(), 0),
    });
  });
  return [
    ...read.map((measure, i): Part => ({
      labels: { measure: measures[i] ?? '' },
      quantities: PROPORTION,
      figures: () => {
        const { met, eligible } = measure();
        return proportionFigures(met, eligible, { level });
      },
    })),
    {
      labels: { measure: 'all opportunities' },
      quantities: ['proportion'],
      figures: () => ({ proportion: opportunityComposite(read.map((measure) => measure())) }),
    },
  ];
}
