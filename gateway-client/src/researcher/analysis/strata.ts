/** Statistics of several 2x2 tables. */
import {
  breslowDay,
  cochranMantelHaenszel,
  fixedEffect,
  mantelHaenszel,
  oddsRatio,
  type TwoByTwo,
} from '../../statistics/index.js';
import type { Cells } from './cells.js';
import { chosen, groupsOf, ODDS_RATIO, oddsFigures, TEST, twoByTwo } from './groups.js';
import type { AnalysisOf } from './kinds.js';
import type { Part } from './lines.js';

export function mantelHaenszelParts(cells: Cells, analysis: AnalysisOf<'mantelHaenszel'>): Part[] {
  const parts = strataOf(cells, analysis);
  const strata = (): TwoByTwo[] => parts.map(({ read }) => read());
  return [
    ...parts.map(({ labels, read }) => ({
      labels,
      quantities: ODDS_RATIO,
      figures: () => oddsFigures(oddsRatio(read(), analysis.level)),
    })),
    { quantities: ODDS_RATIO, figures: () => oddsFigures(mantelHaenszel(strata(), analysis.level)) },
    {
      labels: { test: 'Cochran-Mantel-Haenszel' },
      quantities: TEST,
      figures: () => ({ ...cochranMantelHaenszel(strata()) }),
    },
    {
      labels: { test: 'Cochran-Mantel-Haenszel, corrected' },
      quantities: TEST,
      figures: () => ({ ...cochranMantelHaenszel(strata(), { continuity: true }) }),
    },
    { labels: { test: 'Breslow-Day' }, quantities: TEST, figures: () => ({ ...breslowDay(strata()) }) },
    {
      labels: { test: 'Breslow-Day-Tarone' },
      quantities: TEST,
      figures: () => ({ ...breslowDay(strata(), { tarone: true }) }),
    },
  ];
}

export function fixedEffectParts(cells: Cells, analysis: AnalysisOf<'fixedEffect'>): Part[] {
  const strata = strataOf(cells, analysis);
  const pooled = () =>
    fixedEffect(
      strata.map(({ read }) => {
        const { estimate, logStandardError } = oddsRatio(read());
        return { estimate: Math.log(estimate), standardError: logStandardError };
      }),
      analysis.level,
    );
  return [
    ...strata.map(({ labels, read }) => ({
      labels,
      quantities: ODDS_RATIO,
      figures: () => oddsFigures(oddsRatio(read(), analysis.level)),
    })),
    {
      labels: { pooled: 'all' },
      quantities: ODDS_RATIO,
      figures: () => {
        const { estimate, lower, upper } = pooled();
        return oddsFigures({ estimate: Math.exp(estimate), lower: Math.exp(lower), upper: Math.exp(upper) });
      },
    },
    { labels: { test: "Cochran's Q" }, quantities: TEST, figures: () => ({ ...pooled().heterogeneity }) },
  ];
}

function strataOf(
  cells: Cells,
  { id, exposure, event }: AnalysisOf<'mantelHaenszel'> | AnalysisOf<'fixedEffect'>,
): { labels: Record<string, string>; read: () => TwoByTwo }[] {
  return cells.tables(id).map(({ labels, table }) => {
    const groups = groupsOf(id, table, exposure);
    const events = chosen(id, table.columns, event.levels);
    return { labels, read: () => twoByTwo(table, groups, events) };
  });
}
