/** Partials and their sums: hashes on the ledger, blobs in transient data. */
import { blobHash, parameterSet, parseCiphertext, sumOfC0 } from '@strokeshare/fhe';
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
import { aggregationLoad, fits, groupsOf } from '../evaluation/limits.js';
import {
  epochRecords,
  institutions,
  jobAggregates,
  jobGroupSums,
  jobPartials,
  jobRecords,
} from '../ledger/kinds.js';
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
): Promise<JobStep & { aggregates: Record<string, AggregateRecord>; sums?: Record<string, string> }> {
  const { ledger, caller } = transaction;
  const job = await openJob(transaction, request.jobId, ['SUBMITTED']);
  requireParticipant(job, caller.mspId);
  const aggregates: Record<string, AggregateRecord> = {};
  const sums: Record<string, string> = {};
  const step = await permitted(transaction, job, 'evaluate', async () => {
    const partials = await settledPartials(transaction, job);
    const settled = { ...job, included: [...partials.keys()] };
    requireAggregator(transaction, settled, caller.mspId);
    const withheld = withheldCells(job, partials);
    const open = idsOf(job.cells).filter((id) => !withheld.has(id));
    requireOpen(request.cells, open);
    if (request.group !== undefined) {
      await addGroup(transaction, settled, request.cells, request.group, partials, sums);
      if (!job.included) await ledger.put(jobRecords, settled, job.jobId);
      return 'EVALUATING';
    }
    const done = await ledger.findAll(jobAggregates, [job.jobId], open);
    for (const [cell, sum] of done) if (request.cells.includes(cell)) aggregates[cell] = sum;
    const cells = request.cells.filter((cell) => !done.has(cell));
    const inputs = await inputsOf(ledger, settled, cells, partials);
    await whenFree(async () => {
      for (const [cell, sum] of await addCells(transaction, job, cells, inputs))
        aggregates[cell] = recordOf(sum, job);
    });
    for (const cell of cells) await ledger.put(jobAggregates, aggregates[cell], job.jobId, cell);
    if (open.some((id) => !done.has(id) && !cells.includes(id))) {
      if (!job.included) await ledger.put(jobRecords, settled, job.jobId);
      return 'EVALUATING';
    }
    const asked = job.cells.some(({ id, comparison }) => !comparison && open.includes(id));
    const moved = asked
      ? await storeState(transaction, { ...settled, committee: await committeeOf(ledger, job) }, 'AGGREGATED')
      : await storeState(transaction, { ...settled, outcomes: allWithheld(job) }, 'SUPPRESSED');
    return moved.state;
  });
  return { ...step, aggregates, ...(request.group !== undefined && { sums }) };
}

/** What a sum is made of: transient name and hash, by cell. */
type Inputs = ReadonlyMap<string, readonly { name: string; hash: string }[]>;

const partialInputs = (
  cells: readonly string[],
  partials: Iterable<[string, PartialsRecord]>,
): Map<string, { name: string; hash: string }[]> => {
  const all = [...partials];
  return new Map(
    cells.map((cell) => [
      cell,
      all.map(([mspId, record]) => ({
        name: `partial/${cell}/${mspId}`,
        hash: record.partials[cell] ?? '',
      })),
    ]),
  );
};

/** The partials themselves, or the sums of their groups. */
async function inputsOf(
  ledger: Ledger,
  { jobId }: Job,
  cells: readonly string[],
  partials: ReadonlyMap<string, PartialsRecord>,
): Promise<Inputs> {
  const groups = groupsOf([...partials.keys()]);
  if (groups.length === 1) return partialInputs(cells, partials);
  const inputs = new Map(cells.map((cell): [string, { name: string; hash: string }[]] => [cell, []]));
  for (const group of groups.keys()) {
    const sums = await ledger.findEach(jobGroupSums, [jobId, String(group)], cells);
    for (const [cell, list] of inputs) {
      const { hash } = sums.get(cell) ?? {};
      if (hash === undefined)
        throw new ContractError('PARTIALS_MISSING', `The group ${group} of ${cell} is not added yet.`);
      list.push({ name: `sum/${cell}/${group}`, hash });
    }
  }
  return inputs;
}

/** Adds one group of more institutions than one sum takes; the same group once more is no change. */
async function addGroup(
  transaction: Transaction,
  job: Job,
  cells: readonly string[],
  group: number,
  partials: ReadonlyMap<string, PartialsRecord>,
  sums: Record<string, string>,
): Promise<void> {
  const groups = groupsOf([...partials]);
  const members = groups[group];
  if (groups.length === 1 || !members)
    throw new ContractError('BAD_REQUEST', `The job ${job.jobId} is not added in a group ${group}.`);
  const done = await transaction.ledger.findEach(jobGroupSums, [job.jobId, String(group)], cells);
  for (const [cell, { hash }] of done) sums[cell] = hash;
  const open = cells.filter((cell) => !done.has(cell));
  await whenFree(async () => {
    const added = await addCells(transaction, job, open, partialInputs(open, members));
    for (const [cell, { blob }] of added) sums[cell] = blobHash(blob);
  });
  for (const cell of open)
    await transaction.ledger.put(jobGroupSums, { hash: sums[cell] ?? '' }, job.jobId, String(group), cell);
}

interface Sum {
  blob: Uint8Array;
  body: Uint8Array;
}

/** Adds what the transient data has for some cells, every ciphertext read and matched with its hash. */
async function addCells(
  transaction: Transaction,
  job: Job,
  cells: readonly string[],
  inputs: Inputs,
): Promise<Map<string, Sum>> {
  const sums = new Map<string, Sum>();
  if (cells.length === 0) return sums;
  const set = parameterSet(job.parameterSet);
  const most = Math.max(...[...inputs.values()].map(({ length }) => length));
  if (!fits(aggregationLoad(job, cells, most, set)))
    throw new ContractError('TOO_MUCH_WORK', 'The cells are too many for one transaction.');
  assertTransientSize(transaction);
  const place: BlobPlace = { set, epochId: job.epochId };
  const evaluator = await evaluatorFor(set);
  for (const { id, primes } of job.cells.filter((cell) => cells.includes(cell.id))) {
    const read = (): [string, Uint8Array][] =>
      (inputs.get(id) ?? []).map(({ name, hash }) => [name, transientBlob(transaction, name, hash)]);
    const blobs = read();
    for (const [name, input] of blobs) releaseCiphertext(input, name, place, primes);
    const terms = blobs.map(([, input]) => input);
    const blob = await compute(place.epochId, () =>
      evaluator.add(place.epochId, terms, { giveAway: true }),
    ).catch((error: unknown) => {
      // Which one it was is looked for here: the worker knows no names.
      for (const [name, input] of read()) releaseCiphertext(input, name, place, primes, parseCiphertext);
      throw error;
    });
    sums.set(id, { blob, body: releaseCiphertext(blob, id, place, primes) });
  }
  return sums;
}

/** A cell's sum as the ledger has it: its hash, and what release needs of its first polynomial. */
const recordOf = ({ blob, body }: Sum, { parameterSet: name }: Job): AggregateRecord => ({
  hash: blobHash(blob),
  c0: Buffer.from(sumOfC0(body, parameterSet(name))).toString('base64'),
});

/** The partials that are in a job's sums, by institution. */
export const includedPartials = (ledger: Ledger, job: Job): Promise<Map<string, PartialsRecord>> =>
  ledger.findAll(jobPartials, [job.jobId], job.included ?? []);

/**
 * Everybody's partials; from the posting deadline on, of those that posted (the quorum is known to have).
 * @throws ContractError PARTIALS_MISSING
 */
async function settledPartials({ ledger, now }: Transaction, job: Job): Promise<Map<string, PartialsRecord>> {
  if (job.included) return includedPartials(ledger, job);
  const partials = await ledger.findAll(jobPartials, [job.jobId], job.participants);
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
  Object.fromEntries(
    job.cells.filter(({ comparison }) => !comparison).map(({ id }) => [id, { status: 'WITHHELD' }]),
  );
