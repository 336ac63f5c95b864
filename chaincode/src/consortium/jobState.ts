/** Effective state of a job, and what each step may rest on. */
import { type Job, type JobCell, type JobState, type JobView, type PartialsRecord } from '../api/jobs.js';
import { ContractError } from '../errors.js';
import {
  jobCountShares,
  jobOpened,
  jobPartials,
  jobRecords,
  jobValueShares,
  jobVerdicts,
  type RecordKind,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { requireState } from '../states/machine.js';

const FINAL: readonly JobState[] = ['RELEASED', 'SUPPRESSED', 'REFUSED', 'CANCELLED'];

/** EVALUATING from the first partials on; FAILED from the deadline on, unless the job has ended. */
export function effectiveState(job: Pick<Job, 'state' | 'deadline'>, posted: number, now: number): JobState {
  if (FINAL.includes(job.state)) return job.state;
  if (now >= Date.parse(job.deadline)) return 'FAILED';
  return job.state === 'SUBMITTED' && posted > 0 ? 'EVALUATING' : job.state;
}

/** The job with its effective state, for evaluated transactions and closing steps. */
export async function viewJob(ledger: Ledger, job: Job, now: number): Promise<JobView> {
  const posted = [...(await ledger.findEach(jobPartials, [job.jobId], job.participants)).keys()];
  const state = effectiveState(job, posted.length, now);
  if (state !== 'FAILED') return { ...job, state, posted };
  return { ...job, state, posted, missing: await whoIsMissing(ledger, job, posted) };
}

async function whoIsMissing(ledger: Ledger, job: Job, posted: readonly string[]): Promise<string[]> {
  const committee = (job.committee ?? []).map(({ mspId }) => mspId);
  const lacking = async (kind: RecordKind<unknown>): Promise<string[]> => {
    const there = await ledger.findEach(kind, [job.jobId], committee);
    return committee.filter((mspId) => !there.has(mspId));
  };
  if (job.state === 'SUBMITTED') return job.participants.filter((mspId) => !posted.includes(mspId));
  const stages = job.state === 'COUNTED' ? [jobValueShares] : [jobCountShares, jobVerdicts, jobOpened];
  for (const stage of stages) {
    const missing = await lacking(stage);
    if (missing.length > 0) return missing;
  }
  return [];
}

/**
 * Reads a job for a step that needs one of the stored states.
 * @throws ContractError NOT_FOUND, DEADLINE_PASSED, ILLEGAL_STATE
 */
export async function openJob(
  { ledger, now }: Transaction,
  jobId: string,
  states: readonly Job['state'][],
): Promise<Job> {
  const job = await ledger.get(jobRecords, jobId);
  if (effectiveState(job, 0, now) === 'FAILED')
    throw new ContractError('DEADLINE_PASSED', `The job ${jobId} failed: its deadline was ${job.deadline}.`);
  requireState('job', job.state, states);
  return job;
}

/** @throws ContractError NOT_A_PARTY unless the caller is of the committee. */
export function requireHolder(job: Job, mspId: string): void {
  if (!job.committee?.some((holder) => holder.mspId === mspId))
    throw new ContractError('NOT_A_PARTY', `${mspId} is not a key holder of the job ${job.jobId}.`);
}

/** Cells that an institution withholds, with the cells whose count they are. */
export function withheldCells(job: Job, partials: ReadonlyMap<string, PartialsRecord>): Set<string> {
  const named = new Set([...partials.values()].flatMap(({ withheld }) => withheld));
  return new Set(
    job.cells.filter(({ id, countCell }) => named.has(id) || named.has(countCell)).map(({ id }) => id),
  );
}

export const idsOf = (cells: readonly JobCell[]): string[] => cells.map(({ id }) => id);

/** @throws ContractError BAD_REQUEST unless both name the same things. */
export function requireSame(named: readonly string[], expected: readonly string[], what: string): void {
  const missing = expected.find((id) => !named.includes(id));
  const extra = named.find((id) => !expected.includes(id));
  if (missing !== undefined) throw new ContractError('BAD_REQUEST', `${what} lack ${missing}.`);
  if (extra !== undefined)
    throw new ContractError('BAD_REQUEST', `${what} name ${extra}, which does not belong.`);
}
