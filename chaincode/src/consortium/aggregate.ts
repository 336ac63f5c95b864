/** Partials and their sums: hashes on the ledger, blobs in transient data. */
import { blobHash, parameterSet, sumOfC0 } from '@strokeshare/fhe';
import { byText } from '../api/canonical.js';
import {
  type Aggregate,
  AGGREGATE_TAKEOVER_MS,
  type AggregateRecord,
  type CellOutcome,
  type Holder,
  type Job,
  type JobStep,
  type PartialsRecord,
  type PostPartials,
} from '../api/jobs.js';
import { ContractError } from '../errors.js';
import {
  assertTransientSize,
  type BlobPlace,
  releaseCiphertext,
  transientBlob,
} from '../evaluation/blobs.js';
import { compute, evaluatorFor, whenFree } from '../evaluation/evaluators.js';
import { aggregationLoad, fits } from '../evaluation/limits.js';
import { epochRecords, institutions, jobAggregates, jobPartials, jobRecords } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { idsOf, openJob, requireSame, withheldCells } from './jobState.js';
import { permitted, storeState } from './jobSteps.js';

export async function postPartials(transaction: Transaction, request: PostPartials): Promise<JobStep> {
  const { ledger, caller, at } = transaction;
  const { jobId, partials, withheld } = request;
  const job = await openJob(transaction, jobId, ['SUBMITTED']);
  requireParticipant(job, caller.mspId);
  if (job.included || transaction.now >= Date.parse(job.postingDeadline))
    throw new ContractError(
      'DEADLINE_PASSED',
      `The institutions of the job ${jobId} are settled; others could post until ${job.postingDeadline}.`,
    );
  return permitted(transaction, job, 'evaluate', async () => {
    requireSame([...Object.keys(partials), ...withheld], idsOf(job.cells), 'The partials');
    const both = withheld.find((cell) => Object.hasOwn(partials, cell));
    if (both !== undefined)
      throw new ContractError('BAD_REQUEST', `The cell ${both} is both posted and withheld.`);
    await ledger.createOnce(jobPartials, { partials, withheld, at }, jobId, caller.mspId);
    return 'EVALUATING';
  });
}

export async function aggregate(
  transaction: Transaction,
  request: Aggregate,
): Promise<JobStep & { aggregates: Record<string, AggregateRecord> }> {
  const { ledger, caller } = transaction;
  const job = await openJob(transaction, request.jobId, ['SUBMITTED']);
  requireParticipant(job, caller.mspId);
  const aggregates: Record<string, AggregateRecord> = {};
  const step = await permitted(transaction, job, 'evaluate', async () => {
    const partials = await settledPartials(transaction, job);
    const settled = { ...job, included: [...partials.keys()] };
    requireAggregator(transaction, settled, caller.mspId);
    const withheld = withheldCells(job, partials);
    const open = idsOf(job.cells).filter((id) => !withheld.has(id));
    requireOpen(request.cells, open);
    const done = await ledger.findEach(jobAggregates, [job.jobId], open);
    for (const [cell, sum] of done) if (request.cells.includes(cell)) aggregates[cell] = sum;
    const cells = request.cells.filter((cell) => !done.has(cell));
    await whenFree(() => addCells(transaction, job, cells, partials, aggregates));
    for (const cell of cells) await ledger.put(jobAggregates, aggregates[cell], job.jobId, cell);
    if (open.some((id) => !done.has(id) && !cells.includes(id))) {
      if (!job.included) await ledger.put(jobRecords, settled, job.jobId);
      return 'EVALUATING';
    }
    const moved =
      open.length > 0
        ? await storeState(
            transaction,
            { ...settled, committee: await committeeOf(ledger, job) },
            'AGGREGATED',
          )
        : await storeState(transaction, { ...settled, outcomes: allWithheld(job) }, 'SUPPRESSED');
    return moved.state;
  });
  return { ...step, aggregates };
}

async function addCells(
  transaction: Transaction,
  job: Job,
  cells: readonly string[],
  partials: ReadonlyMap<string, PartialsRecord>,
  aggregates: Record<string, AggregateRecord>,
): Promise<void> {
  if (cells.length === 0) return;
  const set = parameterSet(job.parameterSet);
  if (!fits(aggregationLoad(job, cells, partials.size, set)))
    throw new ContractError('TOO_MUCH_WORK', 'The cells are too many for one transaction.');
  assertTransientSize(transaction);
  const place: BlobPlace = { set, epochId: job.epochId };
  for (const { id, primes } of job.cells.filter((cell) => cells.includes(cell.id))) {
    const inputs = [...partials].map(([mspId, { partials: hashes }]) => {
      const name = `partial/${id}/${mspId}`;
      const blob = transientBlob(transaction, name, hashes[id] ?? '');
      releaseCiphertext(blob, name, place, primes);
      return blob;
    });
    aggregates[id] = await addInputs(inputs, id, place, primes);
  }
}

/** The sum of one cell's partials: its hash, and what release needs of its first polynomial. */
async function addInputs(
  inputs: Uint8Array[],
  cell: string,
  place: BlobPlace,
  primes: number,
): Promise<AggregateRecord> {
  const evaluator = await evaluatorFor(place.set);
  const sum = await compute(place.epochId, () => evaluator.add(place.epochId, inputs));
  const body = releaseCiphertext(sum, cell, place, primes);
  return { hash: blobHash(sum), c0: Buffer.from(sumOfC0(body, place.set)).toString('base64') };
}

/** The partials that are in a job's sums, by institution. */
export const includedPartials = (ledger: Ledger, job: Job): Promise<Map<string, PartialsRecord>> =>
  ledger.findEach(jobPartials, [job.jobId], job.included ?? []);

/**
 * Everybody's partials; from the posting deadline on, of those that posted (the quorum is known to have).
 * @throws ContractError PARTIALS_MISSING
 */
async function settledPartials({ ledger, now }: Transaction, job: Job): Promise<Map<string, PartialsRecord>> {
  if (job.included) return includedPartials(ledger, job);
  const partials = await ledger.findEach(jobPartials, [job.jobId], job.participants);
  const missing = job.participants.filter((mspId) => !partials.has(mspId));
  if (missing.length > 0 && now < Date.parse(job.postingDeadline))
    throw new ContractError('PARTIALS_MISSING', `The partials of ${missing.join(', ')} are not posted.`);
  return partials;
}

function requireParticipant(job: Job, mspId: string): void {
  if (!job.participants.includes(mspId))
    throw new ContractError('NOT_A_PARTY', `${mspId} takes no part in the job ${job.jobId}.`);
}

function requireAggregator(
  { now }: Transaction,
  job: Pick<Job, 'jobId' | 'submittedAt'> & { included: readonly string[] },
  mspId: string,
): void {
  const [first] = job.included;
  if (mspId !== first && now < Date.parse(job.submittedAt) + AGGREGATE_TAKEOVER_MS)
    throw new ContractError(
      'TOO_EARLY',
      `${String(first)} aggregates the job ${job.jobId}; others may later.`,
    );
}

function requireOpen(cells: readonly string[], open: readonly string[]): void {
  const other = cells.find((cell) => !open.includes(cell));
  if (other !== undefined)
    throw new ContractError('BAD_REQUEST', `The cell ${other} is withheld or not in the plan.`);
}

/**
 * The first t members of the epoch in MSP ID order that are members of the consortium still and were not silent.
 * @throws ContractError HOLDERS_MISSING
 */
export async function committeeOf(ledger: Ledger, job: Job): Promise<Holder[]> {
  const { members, threshold } = await ledger.get(epochRecords, job.epochId);
  const entries = await ledger.findEach(institutions, [], members);
  const committee = members
    .map((mspId, i) => ({ mspId, index: i + 1 }))
    .filter(({ mspId }) => entries.get(mspId)?.status === 'ACTIVE' && !job.silent.includes(mspId))
    .sort((a, b) => byText(a.mspId, b.mspId))
    .slice(0, threshold);
  if (committee.length < threshold)
    throw new ContractError(
      'HOLDERS_MISSING',
      `The key epoch ${job.epochId} has ${committee.length} holders left; ${threshold} release together.`,
    );
  return committee;
}

const allWithheld = (job: Job): Record<string, CellOutcome> =>
  Object.fromEntries(job.cells.map(({ id }) => [id, { status: 'WITHHELD' }]));
