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
import { epochRecords, institutions, jobAggregates, jobPartials } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';
import { idsOf, openJob, requireSame, withheldCells } from './jobState.js';
import { permitted, storeState } from './jobSteps.js';

export async function postPartials(transaction: Transaction, request: PostPartials): Promise<JobStep> {
  const { ledger, caller, at } = transaction;
  const { jobId, partials, withheld } = request;
  const job = await openJob(transaction, jobId, ['SUBMITTED']);
  requireParticipant(job, caller.mspId);
  return permitted(transaction, job, 'evaluate', async () => {
    requireSame([...Object.keys(partials), ...withheld], idsOf(job.cells), 'The partials');
    const both = withheld.find((cell) => Object.hasOwn(partials, cell));
    if (both !== undefined)
      throw new ContractError('BAD_REQUEST', `The cell ${both} is both posted and withheld.`);
    await ledger.create(jobPartials, { partials, withheld, at }, jobId, caller.mspId);
    return 'EVALUATING';
  });
}

export async function aggregate(
  transaction: Transaction,
  request: Aggregate,
): Promise<JobStep & { aggregates: Record<string, AggregateRecord> }> {
  const { ledger, caller } = transaction;
  const job = await openJob(transaction, request.jobId, ['SUBMITTED']);
  requireAggregator(transaction, job, caller.mspId);
  const aggregates: Record<string, AggregateRecord> = {};
  const step = await permitted(transaction, job, 'evaluate', async () => {
    const partials = await allPartials(ledger, job);
    const withheld = withheldCells(job, partials);
    const open = idsOf(job.cells).filter((id) => !withheld.has(id));
    const done = await ledger.findEach(jobAggregates, [job.jobId], open);
    requireOpen(request.cells, open, done);
    await whenFree(() => addCells(transaction, job, request.cells, partials, aggregates));
    for (const cell of request.cells) await ledger.put(jobAggregates, aggregates[cell], job.jobId, cell);
    if (open.some((id) => !done.has(id) && !request.cells.includes(id))) return 'EVALUATING';
    const moved =
      open.length > 0
        ? await storeState(transaction, { ...job, committee: await committeeOf(ledger, job) }, 'AGGREGATED')
        : await storeState(transaction, { ...job, outcomes: allWithheld(job) }, 'SUPPRESSED');
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

/** @throws ContractError PARTIALS_MISSING */
export async function allPartials(ledger: Ledger, job: Job): Promise<Map<string, PartialsRecord>> {
  const partials = await ledger.findEach(jobPartials, [job.jobId], job.participants);
  const missing = job.participants.filter((mspId) => !partials.has(mspId));
  if (missing.length > 0)
    throw new ContractError('PARTIALS_MISSING', `The partials of ${missing.join(', ')} are not posted.`);
  return partials;
}

function requireParticipant(job: Job, mspId: string): void {
  if (!job.participants.includes(mspId))
    throw new ContractError('NOT_A_PARTY', `${mspId} takes no part in the job ${job.jobId}.`);
}

function requireAggregator({ now }: Transaction, job: Job, mspId: string): void {
  requireParticipant(job, mspId);
  const [first] = job.participants;
  if (mspId !== first && now < Date.parse(job.submittedAt) + AGGREGATE_TAKEOVER_MS)
    throw new ContractError(
      'TOO_EARLY',
      `${String(first)} aggregates the job ${job.jobId}; others may later.`,
    );
}

function requireOpen(
  cells: readonly string[],
  open: readonly string[],
  done: ReadonlyMap<string, unknown>,
): void {
  for (const cell of cells) {
    if (!open.includes(cell))
      throw new ContractError('BAD_REQUEST', `The cell ${cell} is withheld or not in the plan.`);
    if (done.has(cell)) throw new ContractError('ALREADY_EXISTS', `The cell ${cell} is aggregated already.`);
  }
}

/**
 * The first t members of the epoch in MSP ID order that are members of the consortium still.
 * @throws ContractError HOLDERS_MISSING
 */
async function committeeOf(ledger: Ledger, job: Job): Promise<Holder[]> {
  const { members, threshold } = await ledger.get(epochRecords, job.epochId);
  const entries = await ledger.findEach(institutions, [], members);
  const committee = members
    .map((mspId, i) => ({ mspId, index: i + 1 }))
    .filter(({ mspId }) => entries.get(mspId)?.status === 'ACTIVE')
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
