import { parseAnalysisQuery, type AnalysisQuery } from '@strokeshare/fhe';
import { z } from 'zod';
import type { ReleasedCells } from '../result.js';
import { rowsOf, type ResultRow } from '../rows.js';
import { Cells } from './cells.js';
import { isAnalysis, parseStatistic, type Analysis } from './kinds.js';
import { linesOf, type Part } from './lines.js';
import { anovaParts, kaplanMeierParts, pearsonParts, summaryParts, tTestParts } from './numbers.js';
import { regressionParts } from './regression.js';
import { requestsOf } from './requests.js';
import { fixedEffectParts, mantelHaenszelParts } from './strata.js';
import {
  chiSquareParts,
  compositeParts,
  proportionParts,
  quantileParts,
  riskParts,
  shiftParts,
} from './tables.js';

export { questionShape, type Analysis, type AnalysisKind, type AnalysisOf } from './kinds.js';
export { requestsOf } from './requests.js';

/** A question: the query that goes to the ledger, and what is computed from its cells. */
export interface Question {
  query: AnalysisQuery;
  analyses: Analysis[];
}

const loose = z.looseObject({ statistics: z.array(z.unknown()) });

/**
 * Reads a question: statistics of released kinds go to the ledger as they are, the others as the requests that they
 * are computed from.
 *
 * @throws FheError `QUERY_INVALID`; ClientError `JOB_FILE_INVALID` for a statistic that is not valid.
 */
export function parseQuestion(value: unknown): Question {
  const question = loose.safeParse(value);
  if (!question.success) return { query: parseAnalysisQuery(value), analyses: [] };
  const analyses: Analysis[] = [];
  const statistics = question.data.statistics.flatMap((item, position): unknown[] => {
    const statistic = parseStatistic(item, position);
    if (!isAnalysis(statistic)) return [item];
    analyses.push(statistic);
    return requestsOf(statistic);
  });
  return { query: parseAnalysisQuery({ ...question.data, statistics }), analyses };
}

/**
 * The lines of a result: of every statistic of the question, in the ledger's order. Without analyses, those of the
 * released kinds alone.
 *
 * @throws ClientError `JOB_FILE_INVALID` where an analysis names a level that there is not.
 */
export function resultRows(result: ReleasedCells, analyses: readonly Analysis[] = []): ResultRow[] {
  const cells = new Cells(result);
  const derived = new Set(analyses.flatMap((analysis) => requestsOf(analysis).map(({ id }) => id)));
  return [
    ...result.plan.statistics.filter(({ id }) => !derived.has(id)).flatMap((s) => rowsOf(result, s)),
    ...analyses.flatMap((analysis) => partsOf(cells, analysis).flatMap((part) => linesOf(analysis.id, part))),
  ];
}

/**
 * Checks before anything is asked that every statistic can be computed from the cells that a plan releases: that the
 * variables have the levels that it names, and its bins are theirs.
 *
 * @throws ClientError `JOB_FILE_INVALID`
 */
export function requireComputable(plan: ReleasedCells['plan'], analyses: readonly Analysis[]): void {
  const cells = new Cells({ plan, counts: new Map(), values: new Map() });
  for (const analysis of analyses) partsOf(cells, analysis);
}

function partsOf(cells: Cells, analysis: Analysis): Part[] {
  switch (analysis.kind) {
    case 'proportion':
      return proportionParts(cells, analysis);
    case 'risk':
      return riskParts(cells, analysis);
    case 'chiSquare':
      return chiSquareParts(cells, analysis);
    case 'mantelHaenszel':
      return mantelHaenszelParts(cells, analysis);
    case 'fixedEffect':
      return fixedEffectParts(cells, analysis);
    case 'tTest':
      return tTestParts(cells, analysis);
    case 'anova':
      return anovaParts(cells, analysis);
    case 'summary':
      return summaryParts(cells, analysis);
    case 'pearson':
      return pearsonParts(cells, analysis);
    case 'linearRegression':
      return regressionParts(cells, analysis);
    case 'kaplanMeier':
      return kaplanMeierParts(cells, analysis);
    case 'shift':
      return shiftParts(cells, analysis);
    case 'quantiles':
      return quantileParts(cells, analysis);
    case 'composite':
      return compositeParts(cells, analysis);
  }
}
