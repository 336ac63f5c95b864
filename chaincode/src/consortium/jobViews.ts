/** What is read of jobs; for evaluated transactions only. */
import { type DecisionStep } from '../api/decisions.js';
import { readEarlier } from '../disclosure/earlier.js';
import { includedRoots } from '../disclosure/included.js';
import {
  type AggregateRecord,
  type ComparedView,
  type JobAccess,
  type JobView,
  type OpenJobRecord,
  type PartialsRecord,
  type SharesView,
} from '../api/jobs.js';
import { ContractError } from '../errors.js';
import {
  institutions,
  jobAggregates,
  jobCountShares,
  jobDealt,
  jobOpened,
  jobPartials,
  jobRecords,
  jobValueShares,
  jobVerdicts,
  openJobs,
  type RecordKind,
} from '../ledger/kinds.js';
import { type Page } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { decideStep } from '../permission/facts.js';
import { idsOf, roundKeys, viewJob } from './jobState.js';

interface JobName {
  jobId: string;
}

export async function view({ ledger, now }: Transaction, { jobId }: JobName): Promise<JobView> {
  return viewJob(ledger, await ledger.get(jobRecords, jobId), now);
}

/**
 * The cost grows with the open jobs, not with all that ever were; one that failed stays behind, since no transaction
 * ends it, and is left out by its deadline.
 */
export async function listOpen(
  { ledger, now }: Transaction,
  page: Page,
): Promise<{ items: OpenJobRecord[]; next?: string }> {
  const { items, ...more } = await ledger.page(openJobs, [], page);
  return { items: items.filter(({ deadline }) => now < Date.parse(deadline)), ...more };
}

export async function partialsOf(
  { ledger }: Transaction,
  { jobId }: JobName,
): Promise<{ partials: Record<string, PartialsRecord> }> {
  const { participants } = await ledger.get(jobRecords, jobId);
  return { partials: Object.fromEntries(await ledger.findAll(jobPartials, [jobId], participants)) };
}

export async function aggregatesOf(
  { ledger }: Transaction,
  { jobId }: JobName,
): Promise<{ aggregates: Record<string, AggregateRecord> }> {
  const { cells } = await ledger.get(jobRecords, jobId);
  return { aggregates: Object.fromEntries(await ledger.findAll(jobAggregates, [jobId], idsOf(cells))) };
}

export async function sharesOf({ ledger }: Transaction, { jobId }: JobName): Promise<SharesView> {
  const job = await ledger.get(jobRecords, jobId);
  const { round, committee = [], counting = { round, committee } } = job;
  const each = async <T>(kind: RecordKind<T>, of: typeof counting): Promise<Record<string, T>> =>
    Object.fromEntries(
      await ledger.findAll(
        kind,
        roundKeys({ jobId, round: of.round }),
        of.committee.map(({ mspId }) => mspId),
      ),
    );
  return {
    countShares: await each(jobCountShares, counting),
    verdicts: await each(jobVerdicts, counting),
    opened: await each(jobOpened, counting),
    valueShares: await each(jobValueShares, { round, committee }),
    dealt: Object.fromEntries(
      await ledger.findAll(jobDealt, [jobId], job.vector ? (job.included ?? []) : []),
    ),
  };
}

/** What the counts of a job are judged by, before they are opened. */
export async function comparedWith({ ledger, now }: Transaction, { jobId }: JobName): Promise<ComparedView> {
  const job = await ledger.get(jobRecords, jobId);
  const { datasets } = await decideStep(ledger, now, job, 'countRelease');
  const { known } = await readEarlier(ledger, job);
  return {
    data: includedRoots(job, datasets.values()),
    known: known.map(({ cell, data, count, numbers }) => ({ cell, data, count, numbers: [...numbers] })),
  };
}

export async function accessTo(
  { ledger, now }: Transaction,
  { jobId, step }: JobName & { step: DecisionStep },
): Promise<JobAccess> {
  const job = await ledger.get(jobRecords, jobId);
  const { decision, datasets, epoch } = await decideStep(ledger, now, job, step);
  if (!epoch?.publicKeyHash || !epoch.relinKeysHash)
    throw new ContractError('ILLEGAL_STATE', `The job ${jobId} has no active key epoch.`);
  const { epochId, parameterSet, parameterSetId, publicKeyHash, relinKeysHash, members, threshold } = epoch;
  const agents = await ledger.findEach(institutions, [], job.participants);
  return {
    decision,
    job: await viewJob(ledger, job, now),
    epoch: { epochId, parameterSet, parameterSetId, publicKeyHash, relinKeysHash, members, threshold },
    datasets: [...datasets.values()].map(
      ({ datasetId, owner, manifestHash, merkleRoot, batches, schema }) => ({
        datasetId,
        owner,
        manifestHash,
        merkleRoot,
        batches,
        schema,
      }),
    ),
    subjects: Object.fromEntries([...agents].map(([mspId, { subject }]) => [mspId, subject])),
  };
}
