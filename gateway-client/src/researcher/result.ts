import { setTimeout as sleep } from 'node:timers/promises';
import { countCommittee, type JobAccess, type JobView, type SharesView } from '@strokeshare/chaincode';
import {
  canonicalJson,
  cellValue,
  combineShares,
  combineVectorShares,
  decodeVector,
  logisticSumsOf,
  roundedCount,
  type LogisticSums,
  type PlanCell,
  type Rational,
  type Variable,
} from '@strokeshare/fhe';
import { allPages } from '../agent/context.js';
import type { CallControl, ResearcherClient } from '../connect/index.js';
import { ClientError } from '../errors.js';
import { valueDeviation } from '../job/privacy.js';
import { hasEnded } from '../job/ended.js';
import { planOfJob, type JobPlan } from '../job/plan.js';
import { openFrom, openShares, sharePurpose, sharesOf } from '../sealed-messages.js';
import type { Measured } from '../statistics/index.js';
import type { ResearcherContext } from './open.js';
import { verifiedProvenance, type ResultProvenance } from './provenance.js';
import { checkedOutcome } from './submit.js';

/** The cells that a job released; statistics are computed from them. */
export interface ReleasedCells {
  plan: JobPlan['plan'];
  /** Exact, by count cell. */
  counts: Map<string, number>;
  /** Sums, by value cell, with the deviation of the error: the plan's, and that of agreed privacy noise. */
  values: Map<string, Measured>;
  /** Of a regression's step: sums over all patients, exact to the fixed point of the plan. */
  vector?: LogisticSums;
}

/** A released job: its plan, and every cell that was released. */
export interface JobResult extends JobPlan, ReleasedCells {
  plan: JobPlan['plan'];
  job: JobView;
  /** Verified: what it was made from, under what, by which transactions. */
  provenance: ResultProvenance;
  /** What the datasets' schemas say of their variables; those that a job asks for are alike in all. */
  variables: readonly Variable[];
}

/** How long one peer of more than two may take. */
const SPARE_PEER_MS = 10_000;
const TRIES = 6;
const PAGE = 100;
const FIRST_WAIT_MS = 50;

/**
 * Opens the result of a job that has ended: reads it from every peer the researcher is connected through and compares
 * their answers, makes the plan anew, opens the shares that were sealed to this researcher and adds them up, and
 * checks the contract's counts against the opened shares. What the result rests on is verified before.
 *
 * @throws JobRefused; ClientError `JOB_RUNNING`, `JOB_FAILED`, `RESULT_INVALID`, `REPLAY_MISMATCH`; FheError for shares
 *   that do not open.
 */
export async function openResult(context: ResearcherContext, jobId: string): Promise<JobResult> {
  const access = await endedJob(context, jobId);
  const { aggregates } = await agreed(context, ({ jobs }, control) => jobs.aggregates({ jobId }, control));
  const shares = await agreed(context, ({ jobs }, control) => jobs.shares({ jobId }, control));
  const { job } = access;
  const jobPlan = planOfJob(access);
  const committee = job.committee ?? [];
  const released = Object.values(job.outcomes ?? {}).some(({ status }) => status === 'PASSED');
  if (released && committee.length !== access.epoch.threshold)
    throw invalid(jobId, 'its committee is not complete');

  const { agreementId, agreementVersion: version } = job;
  const agreement = await agreed(context, ({ agreements }, control) =>
    agreements.version({ agreementId, version }, control),
  );
  const provenance = verifiedProvenance({
    access,
    agreement,
    versions: await Promise.all(
      Object.entries(job.versions).map(([datasetId, { version: used }]) =>
        agreed(context, ({ datasets }, control) =>
          datasets.getVersion({ datasetId, version: used }, control),
        ),
      ),
    ),
    institutions: await agreedPages(context, ({ institutions }, page, control) =>
      institutions.list(page, control),
    ),
    entries: await agreedPages(context, ({ audit }, page, control) =>
      audit.list({ ...page, about: { subject: 'job', id: jobId } }, control),
    ),
    peers: context.readers.length,
  });
  const { privacy } = agreement.content.permission;
  const sealed = await openValueShares(context, access, shares);
  const opened = new Map(
    countCommittee(job).map(({ mspId, index }) => [index, sharesOf(shares.opened[mspId]?.shares ?? {})]),
  );
  const counts = new Map<string, number>();
  const values = new Map<string, Measured>();
  for (const cell of jobPlan.plan.cells) {
    const outcome = job.outcomes?.[cell.id] ?? job.outcomes?.[cell.countCell];
    if (outcome?.status !== 'PASSED') continue;
    const c0 = new Uint8Array(Buffer.from(aggregates[cell.id]?.c0 ?? '', 'base64'));
    const own = sharesOfCell(cell.kind === 'count' ? opened : sealed, cell, jobId);
    const residue = combineShares(jobPlan.set, { c0, shares: own });
    const scale = scaleOf(cell);
    if (cell.kind === 'value') {
      const value = cellValue(residue, scale, jobPlan.set.slots);
      const deviation = valueDeviation(jobPlan.set, cell, privacy, committee.length);
      values.set(cell.id, { value, deviation });
    } else {
      const count = Number(roundedCount(residue, scale, jobPlan.set.slots));
      if (count !== outcome.count)
        throw invalid(jobId, `the contract's count of ${cell.id} is not that of the shares`);
      counts.set(cell.id, count);
    }
  }
  const vector = await openVector(context, access, jobPlan, shares);
  const [{ schema } = { schema: undefined }] = access.datasets;
  const variables = schema?.variables ?? [];
  return { ...jobPlan, job, counts, values, provenance, variables, ...(vector && { vector }) };
}

/**
 * Reads a job that has ended, as soon as the peers know of it: of one that released nothing no cell is kept back.
 *
 * @throws JobRefused; ClientError `JOB_RUNNING`, `JOB_FAILED`.
 */
async function endedJob(context: ResearcherContext, jobId: string): Promise<JobAccess> {
  for (let attempt = 1; ; attempt++) {
    const access = await agreed(context, ({ jobs }, control) =>
      jobs.access({ jobId, step: 'valueRelease' }, control),
    );
    const { state } = checkedOutcome(access.job);
    if (hasEnded(state)) return access;
    if (attempt === TRIES)
      throw new ClientError(
        'JOB_RUNNING',
        `Job ${jobId} has no result yet: it is ${state}. "strokeshare query status ${jobId} --watch" waits for it.`,
      );
    await sleep(FIRST_WAIT_MS * 2 ** attempt, undefined, { signal: context.signal });
  }
}

/**
 * Reads from every peer; their answers have to be the same, as soon as the slowest has caught up. Of more than two
 * peers one or another may be lost: two that say the same are enough.
 */
async function agreed<T>(
  { readers, signal }: ResearcherContext,
  read: (client: ResearcherClient, control: CallControl) => Promise<T>,
): Promise<T> {
  const needed = Math.min(2, readers.length);
  // A lost peer must not hold up the others.
  const control = { signal, ...(readers.length > needed && { totalMs: SPARE_PEER_MS }) };
  for (let attempt = 1; ; attempt++) {
    const settled = await Promise.allSettled(readers.map((reader) => read(reader, control)));
    const answers = settled.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const lost = settled.find((answer) => answer.status === 'rejected');
    const [first] = answers;
    if (first === undefined || answers.length < needed)
      throw lost?.reason ?? new TypeError('nobody was asked');
    if (answers.every((answer) => canonicalJson(answer) === canonicalJson(first))) return first;
    if (attempt === TRIES) {
      throw new ClientError(
        'RESULT_INVALID',
        'The peers that the result was read from give different answers.',
      );
    }
    await sleep(FIRST_WAIT_MS * 2 ** attempt, undefined, { signal });
  }
}

/** All pages of a list, each of them alike from every peer. */
async function agreedPages<T>(
  context: ResearcherContext,
  read: (
    client: ResearcherClient,
    page: { limit: number; after?: string },
    control: CallControl,
  ) => Promise<{ items: T[]; next?: string | undefined }>,
): Promise<T[]> {
  return allPages((after) =>
    agreed(context, (client, control) =>
      read(client, { limit: PAGE, ...(after !== undefined && { after }) }, control),
    ),
  );
}

async function openValueShares(
  { keys }: ResearcherContext,
  { job }: JobAccess,
  { valueShares }: SharesView,
): Promise<Map<number, Map<string, Uint8Array>>> {
  const entries = (job.committee ?? []).map(
    async ({ mspId, index }): Promise<[number, Map<string, Uint8Array>]> => {
      const sealed = valueShares[mspId]?.sealed;
      if (sealed === undefined) return [index, new Map()];
      const purpose = sharePurpose('value-shares', job, mspId, job.researcherId);
      return [index, await openShares(keys, sealed, purpose)];
    },
  );
  return new Map(await Promise.all(entries));
}

/** The sums of a regression's step, where they were released. */
async function openVector(
  { keys }: ResearcherContext,
  access: JobAccess,
  { plan: { vector, statistics } }: JobPlan,
  { valueShares }: SharesView,
): Promise<LogisticSums | undefined> {
  const { job, epoch } = access;
  if (!vector || job.state !== 'RELEASED' || job.outcomes?.[vector.countCell]?.status !== 'PASSED')
    return undefined;
  const committee = [...(job.committee ?? [])].sort((a, b) => a.index - b.index);
  const shares = await Promise.all(
    committee.map(({ mspId }) => {
      const sealed = valueShares[mspId]?.sealedVector;
      if (sealed === undefined) throw invalid(job.jobId, `${mspId} gave no share of the regression's sums`);
      return openFrom(keys, sealed, sharePurpose('vector-share', job, mspId, job.researcherId));
    }),
  );
  const indexes = committee.map(({ index }) => index);
  const words = combineVectorShares(epoch, indexes, shares, vector.format.length);
  const statistic = statistics.find(({ id }) => id === vector.statistic);
  if (statistic?.kind !== 'logistic') throw invalid(job.jobId, 'its vector is of no regression');
  return logisticSumsOf(decodeVector(words, vector.format), statistic.coefficients.length);
}

function sharesOfCell(
  byHolder: ReadonlyMap<number, ReadonlyMap<string, Uint8Array>>,
  { id }: PlanCell,
  jobId: string,
): Map<number, Uint8Array> {
  const shares = [...byHolder].map(([index, bundle]): [number, Uint8Array] => {
    const share = bundle.get(id);
    if (!share) throw invalid(jobId, `holder ${index} gave no share of ${id}`);
    return [index, share];
  });
  return new Map(shares);
}

function scaleOf({ scale }: PlanCell): Rational {
  return { numerator: BigInt(scale.numerator), denominator: BigInt(scale.denominator) };
}

function invalid(jobId: string, reason: string): ClientError {
  return new ClientError('RESULT_INVALID', `The result of job ${jobId} cannot be used: ${reason}.`);
}
