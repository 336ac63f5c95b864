/** Effective state of a job, and what each step may rest on. */
import { type Job, type JobCell, type JobState, type JobView, type PartialsRecord } from '../api/jobs.js';
import { ContractError } from '../errors.js';
import {
  jobCountShares,
  jobDealt,
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

/** Whether a stored state is the last one. */
export const isFinal = (state: JobState): boolean => FINAL.includes(state);

/** What the effective state is computed from. */
type Timed = Pick<Job, 'state' | 'deadline' | 'postingDeadline' | 'quorum'>;

/**
 * EVALUATING from the first partials on; FAILED from the deadline on, or from the posting deadline where fewer than the
 * quorum have posted, unless the job has ended.
 */
export function effectiveState(job: Timed, posted: number, now: number): JobState {
  if (FINAL.includes(job.state)) return job.state;
  if (now >= Date.parse(job.deadline) || lacksQuorum(job, posted, now)) return 'FAILED';
  return job.state === 'SUBMITTED' && posted > 0 ? 'EVALUATING' : job.state;
}

const lacksQuorum = ({ state, postingDeadline, quorum }: Timed, posted: number, now: number): boolean =>
  state === 'SUBMITTED' && posted < quorum && now >= Date.parse(postingDeadline);

/** The job with its effective state, for evaluated transactions and closing steps. */
export async function viewJob(ledger: Ledger, job: Job, now: number): Promise<JobView> {
  // Once it is settled whose partials are in the sums, nobody posts any more.
  const posted = job.included ?? [
    ...(await ledger.findAll(jobPartials, [job.jobId], job.participants)).keys(),
  ];
  const state = effectiveState(job, posted.length, now);
  if (state !== 'FAILED') return { ...job, state, posted };
  return { ...job, state, posted, missing: await whoIsMissing(ledger, job, posted) };
}

async function whoIsMissing(ledger: Ledger, job: Job, posted: readonly string[]): Promise<string[]> {
  return job.state === 'SUBMITTED'
    ? job.participants.filter((mspId) => !posted.includes(mspId))
    : [...(await undealt(ledger, job)), ...(await silentHolders(ledger, job))];
}

/** Whether the job has a vector to release. */
export const hasPassingVector = ({ vector, outcomes }: Pick<Job, 'vector' | 'outcomes'>): boolean =>
  vector !== undefined && outcomes?.[vector.countCell]?.status === 'PASSED';

/** Institutions in the sums that have not shared out what the job waits for. */
export async function undealt(ledger: Ledger, job: Job): Promise<string[]> {
  if (job.state !== 'COUNTED' || !hasPassingVector(job)) return [];
  const { included = [] } = job;
  const dealt = await ledger.findAll(jobDealt, [job.jobId], included);
  return included.filter((mspId) => !dealt.has(mspId));
}

/** Members of the committee that have not posted what the job waits for now. */
export async function silentHolders(ledger: Ledger, job: Job): Promise<string[]> {
  // Holders wait for the institutions, then.
  if ((await undealt(ledger, job)).length > 0) return [];
  const committee = (job.committee ?? []).map(({ mspId }) => mspId);
  const lacking = async (kind: RecordKind<unknown>): Promise<string[]> => {
    const there = await ledger.findAll(kind, roundKeys(job), committee);
    return committee.filter((mspId) => !there.has(mspId));
  };
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
  if (effectiveState(job, Infinity, now) === 'FAILED')
    throw new ContractError('DEADLINE_PASSED', `The job ${jobId} failed: its deadline was ${job.deadline}.`);
  if (lacksQuorum(job, 0, now)) {
    const posted = await ledger.findAll(jobPartials, [jobId], job.participants);
    if (lacksQuorum(job, posted.size, now))
      throw new ContractError(
        'DEADLINE_PASSED',
        `The job ${jobId} failed: ${posted.size} institutions of ${job.quorum} had posted at ${job.postingDeadline}.`,
      );
  }
  requireState('job', job.state, states);
  return job;
}

/** Where a committee's words are kept: those of one that was replaced stay under its own round. */
export const roundKeys = ({ jobId, round }: Pick<Job, 'jobId' | 'round'>): [string, string] => [
  jobId,
  String(round),
];

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
