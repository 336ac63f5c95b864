import type { AnalysisRequest } from '@strokeshare/fhe';
import type { Analysis, AnalysisOf } from './kinds.js';

/**
 * The requests to the ledger that a statistic's cells come from. Where there are several, each has the statistic's id
 * with a number behind it.
 */
export function requestsOf(analysis: Analysis): AnalysisRequest[] {
  const { id } = analysis;
  switch (analysis.kind) {
    case 'proportion':
      return [{ id, kind: 'count', by: [...(analysis.by ?? []), analysis.event.variable] }];
    case 'risk':
      return [{ id, kind: 'crosstab', rows: analysis.exposure.variable, columns: analysis.event.variable }];
    case 'chiSquare':
      return [{ id, kind: 'crosstab', rows: analysis.rows, columns: analysis.columns }];
    case 'mantelHaenszel':
    case 'fixedEffect':
      return [
        {
          id,
          kind: 'crosstab',
          rows: analysis.exposure.variable,
          columns: analysis.event.variable,
          by: [analysis.strata],
        },
      ];
    case 'tTest':
      return [{ id, kind: 'variance', variable: analysis.variable, by: [analysis.exposure.variable] }];
    case 'anova':
      return [{ id, kind: 'variance', variable: analysis.variable, by: [analysis.group] }];
    case 'summary':
      return [{ id, kind: 'variance', variable: analysis.variable, ...(analysis.by && { by: analysis.by }) }];
    case 'pearson':
      return numbered(id, pairsOf(analysis.variables).map(correlationOf));
    case 'linearRegression':
      return numbered(id, regressionRequests(analysis));
    case 'kaplanMeier':
      return [{ id, kind: 'survival', variable: analysis.variable, ...(analysis.by && { by: analysis.by }) }];
    case 'shift':
      return [{ id, kind: 'crosstab', rows: analysis.exposure.variable, columns: analysis.scale }];
    case 'quantiles':
      return [{ id, kind: 'count', by: [analysis.variable] }];
    case 'composite':
      return numbered(
        id,
        analysis.measures.map((measure) => ({ kind: 'count', by: [measure] })),
      );
  }
}

type Unnamed<Request> = Request extends unknown ? Omit<Request, 'id'> : never;

function numbered(id: string, requests: readonly Unnamed<AnalysisRequest>[]): AnalysisRequest[] {
  return requests.map((request, i) => ({ ...request, id: `${id}-${i + 1}` }));
}

const correlationOf = (variables: [string, string]): Unnamed<AnalysisRequest> => ({
  kind: 'correlation',
  variables,
});

/** Sums, squares and products of numbers; sums of numbers by groups; counts of groups by each other. */
function regressionRequests({
  outcome,
  numbers,
  groups,
}: AnalysisOf<'linearRegression'>): Unnamed<AnalysisRequest>[] {
  const all = [outcome, ...numbers];
  return [
    { kind: 'variance', variable: outcome },
    ...pairsOf(all).map(correlationOf),
    ...groups.flatMap((group) => all.map((variable) => ({ kind: 'mean' as const, variable, by: [group] }))),
    ...pairsOf(groups).map(([rows, columns]) => ({ kind: 'crosstab' as const, rows, columns })),
  ];
}

/** Every two of a list, in its order. */
export function pairsOf<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((first, i) => items.slice(i + 1).map((second): [T, T] => [first, second]));
}
