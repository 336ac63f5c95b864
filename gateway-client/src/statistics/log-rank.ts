import { Matrix } from 'ml-matrix';
import { total, undefinedStatistic, type Test } from './common.js';
import { chiSquareUpperTail } from './distributions.js';
import { inverseOf } from './inverse.js';
import { requireSurvival, type SurvivalCounts } from './survival.js';

/** The log-rank test. */
export interface LogRank extends Test {
  /** Events of each group, and those to be expected if all groups had one hazard. */
  observed: number[];
  expected: number[];
}

/**
 * The log-rank test that groups have one survival, with the hypergeometric variance, as `survdiff` of R and
 * `multivariate_logrank_test` of lifelines.
 *
 * Cells: those of the groups' survival on one grid. Mantel N. Cancer Chemother Rep 1966;50:163-170; Peto R, Peto J.
 * J R Stat Soc A 1972;135:185-207.
 *
 * A group that has nobody at risk at any event is left out, with its degree of freedom, as by `survdiff`.
 *
 * @throws ClientError `STATISTIC_UNDEFINED` for fewer than two groups, different grids, no events, or groups that are
 *   not at risk together.
 */
export function logRank(groups: readonly SurvivalCounts[]): LogRank {
  const [first] = groups;
  if (!first || groups.length < 2)
    throw undefinedStatistic('The log-rank test', 'it needs two groups or more');
  groups.forEach(requireSurvival);
  if (
    groups.some(
      ({ points }) =>
        points.length !== first.points.length || points.some(({ time }, i) => time !== first.points[i]?.time),
    )
  )
    throw undefinedStatistic('The log-rank test', 'the groups have different times');
  const k = groups.length;
  const expected = groups.map(() => 0);
  const variance = Matrix.zeros(k, k);
  const atRisk = groups.map(({ patients }) => patients);
  first.points.forEach((_, point) => {
    const all = total(atRisk);
    const events = total(groups.map(({ points }) => points[point]?.events ?? 0));
    if (events > 0) {
      const share = atRisk.map((patients) => patients / all);
      const factor = all > 1 ? (events * (all - events)) / (all - 1) : 0;
      for (let i = 0; i < k; i++) {
        expected[i] = (expected[i] ?? 0) + events * (share[i] ?? 0);
        for (let j = 0; j < k; j++)
          variance.set(
            i,
            j,
            variance.get(i, j) + factor * (share[i] ?? 0) * ((i === j ? 1 : 0) - (share[j] ?? 0)),
          );
      }
    }
    groups.forEach(({ points }, i) => {
      atRisk[i] = (atRisk[i] ?? 0) - (points[point]?.events ?? 0) - (points[point]?.censored ?? 0);
    });
  });
  const observed = groups.map(({ points }) => total(points.map(({ events }) => events)));
  if (total(observed) === 0) throw undefinedStatistic('The log-rank test', 'nobody has the event');
  const atRiskOnce = expected.flatMap((events, i) => (events > 0 ? [i] : []));
  // The differences add up to 0, so the last group says nothing new.
  const compared = atRiskOnce.slice(0, -1);
  if (!compared.every((i) => variance.get(i, i) > 0) || compared.length === 0)
    throw undefinedStatistic(
      'The log-rank test',
      'no event happens while patients of two groups are at risk',
    );
  const difference = Matrix.columnVector(compared.map((i) => (observed[i] ?? 0) - (expected[i] ?? 0)));
  const inverse = inverseOf(variance.selection(compared, compared), 'The log-rank test');
  const statistic = difference.transpose().mmul(inverse).mmul(difference).get(0, 0);
  return {
    statistic,
    degreesOfFreedom: compared.length,
    pValue: chiSquareUpperTail(statistic, compared.length),
    observed,
    expected,
  };
}
