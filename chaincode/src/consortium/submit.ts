/** Submission of a job: decide, plan, reserve the budgets, record; a refusal by policy is recorded as well. */
import {
  type AnalysisPlan,
  type PlanVector,
  FheError,
  parameterSet,
  parseAnalysisQuery,
} from '@strokeshare/fhe';
import { type Dataset } from '../api/datasets.js';
import { type Epoch } from '../api/epochs.js';
import {
  type Job,
  type JobCell,
  type JobVector,
  type JobView,
  MAXIMUM_CELLS,
  type SubmitJob,
} from '../api/jobs.js';
import { isRetry, scheduleOf } from './schedule.js';
import { viewJob } from './jobState.js';
import { affiliationOf, readEarlier, refuseRepeats } from '../disclosure/earlier.js';
import { type Cohort, cohortsOf } from '../disclosure/cohorts.js';
import { comparisonsFor } from '../disclosure/comparisons.js';
import { rootsOf } from '../disclosure/included.js';
import { moveOf } from '../audit/drafts.js';
import { ContractError } from '../errors.js';
import { oversizedCell } from '../evaluation/limits.js';
import { oversizedRecord, oversizedVector } from '../evaluation/records.js';
import { ownersOf, planOf } from '../evaluation/plan.js';
import { researcherIdOf } from '../ledger/caller.js';
import { jobRecords, openJobs } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { microRhoOf, readReserved, releasedCells, reserve, shardCapacity } from '../permission/budgets.js';
import { decide, type Refused } from '../permission/decide.js';
import { readSurroundings } from '../permission/facts.js';
import { noteUses } from './datasetUses.js';

export async function submit(transaction: Transaction, request: SubmitJob): Promise<JobView> {
  const { ledger, caller, now } = transaction;
  const { jobId, agreementId } = request;
  const query = parseQueryText(request.query);
  const researcherId = researcherIdOf(caller);
  const before = await ledger.find(jobRecords, jobId);
  if (before) {
    if (isRetry(before, { ...request, query }, researcherId)) return viewJob(ledger, before, now);
    throw new ContractError('ALREADY_EXISTS', `There is already a job "${jobId}".`);
  }
  const surroundings = await readSurroundings(ledger, now, { ...request, query, researcherId });
  const { datasets, facts, epoch, agreement } = surroundings;
  const reserved = await readReserved(ledger, agreementId, epoch?.epochId ?? '', jobId);
  const { permission } = agreement.content;

  const affiliation = affiliationOf(await transaction.researcher());
  const earlier = await readEarlier(ledger, { affiliation, datasets: permission.datasets });
  let planned: AnalysisPlan | undefined;
  const decision = decide({
    ...facts,
    step: 'submit',
    plan() {
      const outcome = planFor(query, [...datasets.values()], epoch);
      if (!('hash' in outcome)) return outcome;
      if (outcome.vector && permission.privacy) return NO_PRIVATE_VECTOR;
      planned = withComparisons(outcome, query, [...datasets.values()], epoch, earlier.known);
      return undefined;
    },
    disclosure: () =>
      refuseRepeats(cohortsOf(planned?.cells ?? [], rootsOf(datasets.values()), planned?.vector), earlier),
    budget: () => ({
      needed: planned ? releasesOf(planned) : Infinity,
      shared: planned?.cells.length ?? Infinity,
      agreementLeft: permission.releaseBudget - reserved.agreement,
      epochLeft: epoch ? shardCapacity(epoch) - reserved.epoch : 0,
      neededMicroRho: microRhoOf(planned?.cells ?? [], permission.privacy),
      microRhoLeft: (permission.privacy?.budget ?? 0) - reserved.microRho,
    }),
  });
  const participants = ownersOf([...datasets.values()]);
  const job: Job = {
    jobId,
    researcherId,
    affiliation,
    agreementId,
    agreementVersion: agreement.content.version,
    agreementDigest: agreement.digest,
    purpose: request.purpose,
    query,
    state: decision.allowed ? 'SUBMITTED' : 'REFUSED',
    submittedAt: transaction.at,
    ...scheduleOf(request, participants.length, now),
    since: transaction.at,
    round: 0,
    silent: [],
    datasets: permission.datasets,
    versions: Object.fromEntries(
      [...datasets.values()].map(({ datasetId, version, merkleRoot }) => [
        datasetId,
        { version, merkleRoot },
      ]),
    ),
    participants,
    minimumCohort: permission.minimumCohort,
    epochId: epoch?.epochId ?? '',
    parameterSet: epoch?.parameterSet ?? '',
    cells: [],
    ...(planned && {
      planHash: planned.hash,
      cells: planned.cells.map(jobCellOf),
      ...(planned.vector && { vector: jobVectorOf(planned.vector) }),
    }),
    ...(decision.allowed &&
      permission.privacy && { spentMicroRho: microRhoOf(planned?.cells ?? [], permission.privacy) }),
    ...(!decision.allowed && { refusal: decision.refusal }),
  };
  if (decision.allowed) {
    await reserve(ledger, job, reserved, job.spentMicroRho ?? 0);
    await noteUses(ledger, job);
    await ledger.put(openJobs, { jobId, deadline: job.deadline }, jobId);
  }
  await ledger.put(jobRecords, job, jobId);
  transaction.record({ step: 'submit', ...moveOf(job, job.state) });
  transaction.emit(jobId, job.state);
  return { ...job, posted: [] };
}

/** Numbers that the agreement is charged for. */
const releasesOf = ({ cells, vector }: AnalysisPlan): number =>
  releasedCells(cells) + (vector?.format.length ?? 0);

const jobVectorOf = ({ statistic, countCell, model, format }: PlanVector): JobVector => ({
  ...{ statistic, countCell, model },
  length: format.length,
});

const NO_PRIVATE_VECTOR: Refused = {
  code: 'STATISTIC_NOT_COVERED',
  reason: 'Where differential privacy is agreed, the steps of a regression are not released.',
};

/** What the contract's later steps need of a cell. */
const jobCellOf = ({
  id,
  kind,
  comparison,
  countCell,
  primes,
  scale,
}: AnalysisPlan['cells'][number]): JobCell => ({
  id,
  kind,
  ...(comparison && { comparison }),
  countCell,
  primes,
  scale,
});

/** The plan, or why a well-formed query cannot be planned; an ill-formed one throws. */
function planFor(
  query: SubmitJob['query'],
  datasets: readonly Dataset[],
  epoch: Epoch | undefined,
  comparisons: readonly string[] = [],
): AnalysisPlan | Refused {
  if (!epoch) return { code: 'EPOCH_NOT_ACTIVE', reason: 'The datasets have no key epoch.' };
  const set = parameterSet(epoch.parameterSet);
  let planned: AnalysisPlan;
  try {
    planned = planOf(query, datasets, epoch, comparisons);
  } catch (error) {
    if (!(error instanceof FheError)) throw error;
    if (error.code === 'PLAN_TOO_DEEP') return { code: 'PLAN_TOO_DEEP', reason: error.message };
    if (error.code === 'CAPACITY_EXCEEDED') return { code: 'PLAN_TOO_LARGE', reason: error.message };
    throw new ContractError('QUERY_INVALID', error.message, { cause: error });
  }
  const numbers = planned.cells.length + (planned.vector?.format.length ?? 0);
  if (numbers > MAXIMUM_CELLS)
    return {
      code: 'PLAN_TOO_LARGE',
      reason: `The query has ${numbers} cells; at most ${MAXIMUM_CELLS} are allowed.`,
    };
  const { members, threshold } = epoch;
  const cells = planned.cells.map(jobCellOf);
  const record =
    oversizedRecord({ query, cells, datasets, members, threshold }) ??
    oversizedVector(planned.vector, members.length);
  if (record !== undefined)
    return {
      code: 'PLAN_TOO_LARGE',
      reason: `The query asks for so much that ${record} would not fit the ledger.`,
    };
  const oversized = oversizedCell(planned, datasets, set);
  return oversized === undefined
    ? planned
    : { code: 'PLAN_TOO_LARGE', reason: `The cell ${oversized} does not fit one evaluation.` };
}

/** The plan with the counts that its cohorts are compared by, as far as they fit. */
function withComparisons(
  plain: AnalysisPlan,
  query: SubmitJob['query'],
  datasets: readonly Dataset[],
  epoch: Epoch | undefined,
  known: readonly Cohort[],
): AnalysisPlan {
  const depth = epoch ? parameterSet(epoch.parameterSet).depth : 0;
  let wanted = comparisonsFor(cohortsOf(plain.cells, rootsOf(datasets), plain.vector), known, 2 ** depth);
  while (wanted.length > 0) {
    const outcome = planFor(query, datasets, epoch, wanted);
    if ('hash' in outcome) return outcome;
    wanted = wanted.slice(0, Math.floor(wanted.length / 2));
  }
  return plain;
}

function parseQueryText(query: unknown): SubmitJob['query'] {
  try {
    return parseAnalysisQuery(query);
  } catch (cause) {
    throw new ContractError(
      'QUERY_INVALID',
      cause instanceof Error ? cause.message : 'The query is not valid.',
      { cause },
    );
  }
}
