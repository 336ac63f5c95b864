/**
 * The count gate: counts are opened inside the committee, judged by signed verdicts, and only the passing ones are
 * opened on the ledger, where the contract computes them itself and compares them with the minimum cohort.
 */
import { combineShares, FheError, parameterSet, roundedCount } from '@strokeshare/fhe';
import {
  type CellOutcome,
  type Job,
  type JobCell,
  type JobStep,
  type JobView,
  type OpenCounts,
  type PostCountShares,
  type PostVerdict,
} from '../api/jobs.js';
import { verdictContentOf, verifyDetached } from '../api/signing.js';
import { ContractError } from '../errors.js';
import { type RecordKind, jobAggregates, jobCountShares, jobOpened, jobVerdicts } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { decideStep } from '../permission/facts.js';
import { includedPartials } from './aggregate.js';
import { noteRelease, readEarlier } from '../disclosure/earlier.js';
import { type Cohort, cohortsOf } from '../disclosure/cohorts.js';
import { includedRoots } from '../disclosure/included.js';
import { lonelyGap, releasable } from '../disclosure/suppression.js';
import { datasetsFor } from './datasetState.js';
import { idsOf, openJob, requireHolder, requireSame, roundKeys, withheldCells } from './jobState.js';
import { permitted, storeState } from './jobSteps.js';

export async function postCountShares(transaction: Transaction, request: PostCountShares): Promise<JobStep> {
  const { ledger, caller, at } = transaction;
  const { jobId, sealed } = request;
  const job = await openJob(transaction, jobId, ['AGGREGATED']);
  requireHolder(job, caller.mspId);
  return permitted(transaction, job, 'countRelease', async () => {
    const others = holdersOf(job).filter((mspId) => mspId !== caller.mspId);
    requireSame(Object.keys(sealed), others, 'The sealed shares');
    await ledger.createOnce(jobCountShares, { sealed, at }, ...roundKeys(job), caller.mspId);
    return job.state;
  });
}

export async function postVerdict(transaction: Transaction, request: PostVerdict): Promise<JobStep> {
  const { ledger, caller, at } = transaction;
  const { jobId, verdicts, signature } = request;
  const job = await openJob(transaction, jobId, ['AGGREGATED']);
  requireHolder(job, caller.mspId);
  return permitted(transaction, job, 'countRelease', async () => {
    await requireAll(ledger, jobCountShares, job);
    requireSame(Object.keys(verdicts), idsOf(await openCountCells(ledger, job)), 'The verdicts');
    const { signingKey } = await transaction.institution();
    if (!verifyDetached(verdictContentOf(job, caller.mspId, verdicts), signature, signingKey))
      throw new ContractError('BAD_SIGNATURE', `The signature is not ${caller.mspId}'s over its verdicts.`);
    await ledger.createOnce(jobVerdicts, { verdicts, signature, at }, ...roundKeys(job), caller.mspId);
    return job.state;
  });
}

export async function openCounts(transaction: Transaction, request: OpenCounts): Promise<JobStep> {
  const { ledger, caller, at } = transaction;
  const { jobId, shares } = request;
  const job = await openJob(transaction, jobId, ['AGGREGATED']);
  requireHolder(job, caller.mspId);
  return permitted(transaction, job, 'countRelease', async () => {
    const passing = await passingCells(ledger, job);
    requireUnsolvable(job, idsOf(passing));
    requireSame(Object.keys(shares), idsOf(passing), 'The opened shares');
    for (const { id, primes } of passing)
      if (fromBase64(shares[id]).length !== 8 * primes)
        throw new ContractError('BAD_SHARE', `The share of ${id} must have ${8 * primes} bytes.`);
    await ledger.createOnce(jobOpened, { shares, at }, ...roundKeys(job), caller.mspId);
    return job.state;
  });
}

export async function closeCounts(transaction: Transaction, { jobId }: { jobId: string }): Promise<JobView> {
  const { ledger, caller, now } = transaction;
  const job = await openJob(transaction, jobId, ['AGGREGATED']);
  requireHolder(job, caller.mspId);
  const { decision, datasets } = await decideStep(ledger, now, job, 'countRelease');
  if (!decision.allowed) {
    const refused = await storeState(transaction, { ...job, refusal: decision.refusal }, 'REFUSED');
    return { ...refused, posted: refused.included ?? [] };
  }
  const data = includedRoots(job, datasets.values());
  const outcomes = await outcomesOf(ledger, job, data);
  const counting = { round: job.round, committee: job.committee ?? [] };
  const closed = await storeState(transaction, { ...job, outcomes, counting }, 'COUNTED');
  const released = cohortsOf(job.cells, data, job.vector).flatMap((cohort) => {
    const { status, count } = outcomes[cohort.cell] ?? {};
    return status === 'PASSED' && count !== undefined ? [{ ...cohort, count }] : [];
  });
  await noteRelease(ledger, job, released);
  return { ...closed, posted: closed.included ?? [] };
}

/** Decides about every cell: what the committee passed has to have the minimum, and to give no other away. */
async function outcomesOf(
  ledger: Ledger,
  job: Job,
  data: Cohort['data'],
): Promise<Record<string, CellOutcome>> {
  const withheld = withheldCells(job, await includedPartials(ledger, job));
  const passing = new Set(idsOf(await passingCells(ledger, job)));
  const opened = passing.size > 0 ? await requireAll(ledger, jobOpened, job) : new Map<string, never>();
  const most = await largestCount(ledger, job);
  const counts = new Map<string, CellOutcome>();
  for (const cell of job.cells.filter(({ kind, comparison }) => kind === 'count' && !comparison)) {
    if (withheld.has(cell.id)) counts.set(cell.id, { status: 'WITHHELD' });
    else if (!passing.has(cell.id)) counts.set(cell.id, { status: 'SUPPRESSED' });
    else {
      const { c0 } = await ledger.get(jobAggregates, job.jobId, cell.id);
      const shares = new Map(
        (job.committee ?? []).map(({ mspId, index }) => [
          index,
          fromBase64(opened.get(mspId)?.shares[cell.id]),
        ]),
      );
      const count = countOf(job, cell, fromBase64(c0), shares, most);
      counts.set(
        cell.id,
        count >= job.minimumCohort ? { status: 'PASSED', count } : { status: 'SUPPRESSED' },
      );
    }
  }
  const { known } = await readEarlier(ledger, job);
  const asked = cohortsOf(job.cells, data, job.vector).map((cohort) => {
    const count = counts.get(cohort.cell)?.count;
    return { ...cohort, ...(count !== undefined && { count }) };
  });
  // The committee knows these counts, and its verdicts rest on them.
  const compared = job.cells.filter(({ id, kind }) => kind === 'count' && !withheld.has(id));
  const unopened = new Map(compared.map(({ id }) => [id, undefined]));
  const open = releasable(asked, job.minimumCohort, known, unopened);
  for (const [cell, { status }] of counts)
    if (status === 'PASSED' && !open.has(cell)) counts.set(cell, { status: 'SUPPRESSED' });
  return Object.fromEntries(
    job.cells
      .filter(({ comparison }) => !comparison)
      .map(({ id, kind, countCell }): [string, CellOutcome] => {
        const counted = counts.get(countCell)?.status ?? 'SUPPRESSED';
        if (kind === 'count') return [id, counts.get(id) ?? { status: 'SUPPRESSED' }];
        return [id, { status: withheld.has(id) ? 'WITHHELD' : counted }];
      }),
  );
}

/**
 * Before any share is in the open: no verdicts may leave a total with one hidden part alone, whatever the numbers are.
 * @throws ContractError DISCLOSIVE
 */
function requireUnsolvable(job: Job, passing: readonly string[]): void {
  const asked = cohortsOf(job.cells, {}, job.vector);
  const gap = lonelyGap(asked, new Set(passing));
  if (gap !== undefined)
    throw new ContractError(
      'DISCLOSIVE',
      `The verdicts on the job ${job.jobId} would let ${gap} be computed from what passes.`,
    );
}

/** The count that shares in the open add up to, in exact integers. */
function countOf(
  job: Job,
  cell: JobCell,
  c0: Uint8Array,
  shares: ReadonlyMap<number, Uint8Array>,
  most: number,
): number {
  const set = parameterSet(job.parameterSet);
  const scale = { numerator: BigInt(cell.scale.numerator), denominator: BigInt(cell.scale.denominator) };
  let count: bigint;
  try {
    count = roundedCount(combineShares(set, { c0, shares }), scale, set.slots);
  } catch (cause) {
    if (!(cause instanceof FheError)) throw cause;
    throw new ContractError('BAD_SHARE', `The shares of ${cell.id}: ${cause.message}`, { cause });
  }
  if (count < 0n || count > BigInt(most))
    throw new ContractError(
      'COUNT_IMPLAUSIBLE',
      `The shares of ${cell.id} do not add up to a number of patients.`,
    );
  return Number(count);
}

/** No cell can count more patients than the batches have slots. */
async function largestCount(ledger: Ledger, job: Job): Promise<number> {
  const { slots } = parameterSet(job.parameterSet);
  const datasets = await datasetsFor(ledger, job.datasets, job.versions);
  return [...datasets.values()].reduce((sum, { batches }) => sum + batches.length * slots, 0);
}

/** What verdicts are about: counts that are asked for, and not withheld. */
async function openCountCells(ledger: Ledger, job: Job): Promise<JobCell[]> {
  const withheld = withheldCells(job, await includedPartials(ledger, job));
  return job.cells.filter(({ id, kind, comparison }) => kind === 'count' && !comparison && !withheld.has(id));
}

/** Count cells that every holder of the committee passed: one that says suppress is enough against a cell. */
async function passingCells(ledger: Ledger, job: Job): Promise<JobCell[]> {
  const verdicts = [...(await requireAll(ledger, jobVerdicts, job)).values()];
  const cells = await openCountCells(ledger, job);
  return cells.filter(({ id }) => verdicts.every((record) => record.verdicts[id] === 'pass'));
}

/** @throws ContractError SHARES_MISSING unless the whole committee posted. */
export async function requireAll<T>(ledger: Ledger, kind: RecordKind<T>, job: Job): Promise<Map<string, T>> {
  const holders = holdersOf(job);
  const posted = await ledger.findAll(kind, roundKeys(job), holders);
  const missing = holders.filter((mspId) => !posted.has(mspId));
  if (missing.length > 0)
    throw new ContractError('SHARES_MISSING', `The ${kind.word} of ${missing.join(', ')} is not posted.`);
  return posted;
}

export const holdersOf = (job: Job): string[] => (job.committee ?? []).map(({ mspId }) => mspId);

const fromBase64 = (text = ''): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
