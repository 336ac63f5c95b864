/** Statistics of numbers and of times. */
import {
  anova,
  correlation,
  kaplanMeier,
  logRank,
  mean,
  meanInterval,
  medianSurvival,
  sampleVariance,
  standardDeviation,
  standardError,
  sum,
  tTest,
  welchAnova,
  type GroupMoments,
  type Measured,
  type Scaling,
} from '../../statistics/index.js';
import { KeptBack, levelsOf, type Cells, type Moments } from './cells.js';
import { groupsOf, TEST } from './groups.js';
import type { AnalysisOf } from './kinds.js';
import { measuredFigures, type Figures, type Part } from './lines.js';
import { pairsOf } from './requests.js';

type SecondMoments = Moments & { squares: Measured };

export function summaryParts(cells: Cells, { id, variable, level }: AnalysisOf<'summary'>): Part[] {
  const scaling = cells.scaling(variable);
  return cells.moments(id).map(({ labels, of }) => ({
    labels,
    quantities: [
      'count',
      'sum',
      'mean',
      'meanLower',
      'meanUpper',
      'variance',
      'standardDeviation',
      'standardError',
    ],
    figures: () => {
      const moments = withSquares(of());
      const bounds = measuredFigures(numbersOf([moments]), (values) => {
        const [group] = groupMoments([moments], values, scaling);
        const { lower, upper } = meanInterval(group ?? NOBODY, level);
        return { meanLower: lower, meanUpper: upper };
      });
      return {
        count: { value: moments.count, deviation: 0 },
        sum: sum(moments, scaling),
        mean: mean(moments, scaling),
        ...bounds,
        variance: sampleVariance(moments, scaling),
        standardDeviation: standardDeviation(moments, scaling),
        standardError: standardError(moments, scaling),
      };
    },
  }));
}

export function tTestParts(cells: Cells, analysis: AnalysisOf<'tTest'>): Part[] {
  const { id, variable, exposure, variances, alternative, level } = analysis;
  const scaling = cells.scaling(variable);
  const groups = cells.moments(id);
  const chosen = groupsOf(id, { rows: levelsOf(groups, exposure.variable) }, exposure);
  const group = (levels: readonly string[]): SecondMoments =>
    together(
      groups.filter(({ labels }) => levels.includes(labels[exposure.variable] ?? '')).map(({ of }) => of()),
    );
  return [
    {
      labels: { [exposure.variable]: `${chosen.exposed.join('+')} - ${chosen.unexposed.join('+')}` },
      quantities: ['meanDifference', 'meanDifferenceLower', 'meanDifferenceUpper', 'standardError', ...TEST],
      figures: () => {
        const both = [group(chosen.exposed), group(chosen.unexposed)];
        return measuredFigures(numbersOf(both), (values) => {
          const [first = NOBODY, second = NOBODY] = groupMoments(both, values, scaling);
          const { estimate, lower, upper, ...rest } = tTest(first, second, { variances, alternative, level });
          return {
            meanDifference: estimate,
            meanDifferenceLower: lower,
            meanDifferenceUpper: upper,
            standardError: rest.standardError,
            statistic: rest.statistic,
            degreesOfFreedom: rest.degreesOfFreedom,
            pValue: rest.pValue,
          };
        });
      },
    },
  ];
}

export function anovaParts(cells: Cells, { id, variable }: AnalysisOf<'anova'>): Part[] {
  const scaling = cells.scaling(variable);
  const groups = (): SecondMoments[] => cells.moments(id).map(({ of }) => withSquares(of()));
  const part = (test: string, of: (groups: GroupMoments[]) => ReturnType<typeof welchAnova>): Part => ({
    labels: { test },
    quantities: ['statistic', 'degreesOfFreedom', 'denominatorDegreesOfFreedom', 'pValue'],
    figures: () => {
      const all = groups();
      return measuredFigures(numbersOf(all), (values) => {
        const { statistic, degreesOfFreedom, pValue } = of(groupMoments(all, values, scaling));
        return {
          statistic,
          degreesOfFreedom: degreesOfFreedom[0],
          denominatorDegreesOfFreedom: degreesOfFreedom[1],
          pValue,
        };
      });
    },
  });
  return [part('one-way', anova), part('Welch', welchAnova)];
}

export function pearsonParts(cells: Cells, analysis: AnalysisOf<'pearson'>): Part[] {
  const { id, variables, alternative, level } = analysis;
  return pairsOf(variables).map(([first, second], i) => ({
    labels: { pair: `${first}, ${second}` },
    quantities: ['count', 'correlation', 'correlationLower', 'correlationUpper', 'pValue'],
    figures: () => {
      const { count, ...sums } = cells.joint(`${id}-${i + 1}`);
      const names = ['sum', 'squares', 'otherSum', 'otherSquares', 'product'] as const;
      const figures = measuredFigures(
        names.map((name) => sums[name]),
        ([a = 0, aa = 0, b = 0, bb = 0, ab = 0]) => {
          const result = correlation(
            { count, sum: a, squares: aa, otherSum: b, otherSquares: bb, product: ab },
            { level, alternative },
          );
          return {
            correlation: result.estimate,
            correlationLower: result.lower,
            correlationUpper: result.upper,
            pValue: result.pValue,
          };
        },
      );
      return { count: { value: count, deviation: 0 }, ...figures };
    },
  }));
}

/** Each by itself: where an interval was kept back, a bound may lie behind it and the median before. */
const medians = [
  ['medianSurvival', 'median'],
  ['medianSurvivalLower', 'lower'],
  ['medianSurvivalUpper', 'upper'],
] as const;

export function kaplanMeierParts(cells: Cells, analysis: AnalysisOf<'kaplanMeier'>): Part[] {
  const { id, variable, level, interval } = analysis;
  const groups = cells.survival(id);
  const steps = groups.flatMap(({ labels, times, of }): Part[] => {
    const curve = () => kaplanMeier(of(), { level, interval });
    return [
      ...times.map((time, i): Part => ({
        labels: { ...labels, [variable]: String(time) },
        quantities: ['atRisk', 'events', 'censored', 'survival', 'survivalLower', 'survivalUpper'],
        figures: (): Figures => {
          const step = curve()[i];
          if (!step) throw new KeptBack();
          return {
            atRisk: step.atRisk,
            events: step.events,
            censored: step.censored,
            survival: step.survival,
            survivalLower: step.lower,
            survivalUpper: step.upper,
          };
        },
      })),
      ...medians.map(([quantity, name]): Part => ({
        labels,
        quantities: [quantity],
        figures: (): Figures => {
          const time = medianSurvival(curve())[name];
          if (time !== undefined) return { [quantity]: time };
          // The curve may come down behind what was kept back.
          if (!of().isWhole) throw new KeptBack();
          return {};
        },
      })),
    ];
  });
  if (groups.length < 2) return steps;
  return [
    ...steps,
    {
      labels: { test: 'log-rank' },
      quantities: TEST,
      figures: () => {
        const counts = groups.map(({ of }) => of());
        if (counts.some(({ isWhole }) => !isWhole)) throw new KeptBack();
        const { statistic, degreesOfFreedom, pValue } = logRank(counts);
        return { statistic, degreesOfFreedom, pValue };
      },
    },
  ];
}

const NOBODY: GroupMoments = { count: 0, mean: 0, variance: 0 };

function withSquares(moments: Moments): SecondMoments {
  const { squares } = moments;
  if (!squares) throw new KeptBack();
  return { ...moments, squares };
}

/** Several groups as one: their counts and sums add up. */
function together(groups: readonly Moments[]): SecondMoments {
  const add = (a: Measured, b: Measured): Measured => ({
    value: a.value + b.value,
    deviation: Math.hypot(a.deviation, b.deviation),
  });
  const [first, ...others] = groups.map(withSquares);
  if (!first) throw new KeptBack();
  return others.reduce(
    (all, { count, sum: s, squares }) => ({
      labels: {},
      count: all.count + count,
      sum: add(all.sum, s),
      squares: add(all.squares, squares),
    }),
    first,
  );
}

/** The sums of some groups in a row, as the numbers that errors are in. */
function numbersOf(groups: readonly SecondMoments[]): Measured[] {
  return groups.flatMap(({ sum: s, squares }) => [s, squares]);
}

function groupMoments(
  groups: readonly SecondMoments[],
  values: readonly number[],
  scaling: Scaling,
): GroupMoments[] {
  return groups.map(({ count }, i) => {
    const sums = {
      count,
      sum: { value: values[2 * i] ?? 0, deviation: 0 },
      squares: { value: values[2 * i + 1] ?? 0, deviation: 0 },
    };
    return { count, mean: mean(sums, scaling).value, variance: sampleVariance(sums, scaling).value };
  });
}
