import { aggregationLoad, chunksThatFit, type JobView, type PartialsRecord } from '@strokeshare/chaincode';
import { blobHash } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { planOfJob } from '../job/plan.js';
import { stopJob } from './turns.js';
import { allInstitutions, epochKeys, report, type AgentContext } from './context.js';

/** Cells that some institution withholds, and the values over them. */
export function withheldByAny(
  job: Pick<JobView, 'cells'>,
  partials: Readonly<Record<string, PartialsRecord>>,
): Set<string> {
  const named = new Set(Object.values(partials).flatMap(({ withheld }) => withheld));
  const cells = job.cells.filter(({ id, countCell }) => named.has(id) || named.has(countCell));
  return new Set(cells.map(({ id }) => id));
}

/**
 * Submits the sums over all institutions, for as many whole cells at a time as fit, and keeps each aggregate in the
 * own store after comparing its hash with the contract's.
 */
export async function aggregateJob(context: AgentContext, jobId: string): Promise<boolean> {
  const { consortium, signal } = context;
  const access = await consortium.jobs.access({ jobId, step: 'evaluate' }, { signal });
  if (!access.decision.allowed) return stopJob(context, jobId, access.job.participants);
  const { job, epoch } = access;
  const { plan, set } = planOfJob(access);
  const [{ partials }, { aggregates }] = await Promise.all([
    consortium.jobs.partials({ jobId }, { signal }),
    consortium.jobs.aggregates({ jobId }, { signal }),
  ]);
  const withheld = withheldByAny(job, partials);
  const open = plan.cells.map(({ id }) => id).filter((id) => !withheld.has(id) && !aggregates[id]);
  const owners = job.included ?? job.posted;
  const endorsingOrganizations = await endorsers(context);
  const evaluator = await context.evaluators.forEvaluation(set, epochKeys(context, epoch));

  const chunks = chunksThatFit(open, (cells) => aggregationLoad(plan, cells, owners.length, set));
  for (const cells of chunks.length > 0 ? chunks : [[]]) {
    const transient: Record<string, Uint8Array> = {};
    const sums = new Map<string, string>();
    for (const cell of cells) {
      const blobs = await partialBlobs(context, owners, partials, cell);
      for (const [index, owner] of owners.entries()) {
        transient[`partial/${cell}/${owner}`] = blobs[index] ?? new Uint8Array();
      }
      const sum = await evaluator.add(epoch.epochId, blobs, { signal });
      sums.set(cell, await context.store.put(sum));
    }
    const answer = await consortium.jobs.aggregate(
      { jobId, cells },
      { transient, endorsingOrganizations, signal },
    );
    if (answer.refusal) return true;
    const differing = cells.find((cell) => answer.aggregates[cell]?.hash !== sums.get(cell));
    if (differing !== undefined) {
      throw new ClientError(
        'REPLAY_MISMATCH',
        `The contract added cell ${differing} of job ${jobId} otherwise.`,
      );
    }
  }
  report(context, 'aggregate', jobId, `added ${open.length} cells of ${owners.length} institutions`);
  return true;
}

/** The partials of one cell in the order of the owners, each read by the hash that its owner posted. */
export async function partialBlobs(
  context: AgentContext,
  owners: readonly string[],
  partials: Readonly<Record<string, PartialsRecord>>,
  cell: string,
): Promise<Uint8Array[]> {
  return Promise.all(
    owners.map(async (owner) => {
      const hash = partials[owner]?.partials[cell];
      if (hash === undefined) {
        throw new ClientError('REPLAY_MISMATCH', `${owner} posted no partial of cell ${cell}.`);
      }
      const blob = await (owner === context.mspId ? context.store.get(hash) : context.peers.get(owner, hash));
      if (blobHash(blob) !== hash) {
        throw new ClientError('REPLAY_MISMATCH', `The partial of ${owner} for cell ${cell} is another blob.`);
      }
      return blob;
    }),
  );
}

/** As many organisations as the consortium's policy asks for, the own one first. */
async function endorsers(context: AgentContext): Promise<string[]> {
  const others = (await allInstitutions(context))
    .filter(({ mspId, status }) => status === 'ACTIVE' && mspId !== context.mspId)
    .map(({ mspId }) => mspId);
  return [context.mspId, ...others.slice(0, Math.floor((others.length + 1) / 2))];
}
