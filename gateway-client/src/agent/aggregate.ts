import {
  aggregationLoad,
  chunksThatFit,
  groupsOf,
  type JobView,
  type PartialsRecord,
} from '@strokeshare/chaincode';
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

  const addHere = async (inputs: CellInputs): Promise<Map<string, Uint8Array>> => {
    const sums = [...inputs].map(async ([cell, blobs]): Promise<[string, Uint8Array]> => [
      cell,
      await evaluator.add(epoch.epochId, [...blobs.values()], { signal }),
    ]);
    return new Map(await Promise.all(sums));
  };
  /** Has inputs of some cells added, here and on the ledger: to the same bytes. Undefined where the job was refused. */
  const add = async (inputs: CellInputs, group?: number): Promise<Map<string, Uint8Array> | undefined> => {
    const transient = Object.fromEntries([...inputs.values()].flatMap((blobs) => [...blobs]));
    const request = { jobId, cells: [...inputs.keys()], ...(group !== undefined && { group }) };
    const [made, answer] = await Promise.all([
      addHere(inputs),
      consortium.jobs.aggregate(request, { transient, endorsingOrganizations, signal }),
    ]);
    if (answer.refusal) return undefined;
    for (const [cell, blob] of made) {
      if ((answer.sums?.[cell] ?? answer.aggregates[cell]?.hash) === blobHash(blob)) continue;
      throw new ClientError('REPLAY_MISMATCH', `The contract added cell ${cell} of job ${jobId} otherwise.`);
    }
    return made;
  };

  const groups = groupsOf(owners);
  const most = Math.max(...groups.map(({ length }) => length));
  const chunks = chunksThatFit(open, (cells) => aggregationLoad(plan, cells, most, set));
  for (const cells of chunks.length > 0 ? chunks : [[]]) {
    const sumsOfGroups = new Map(cells.map((cell) => [cell, new Map<string, Uint8Array>()]));
    let inputs: CellInputs = sumsOfGroups;
    for (const [group, members] of groups.entries()) {
      const parts = new Map(
        await Promise.all(
          cells.map(async (cell): Promise<[string, Map<string, Uint8Array>]> => [
            cell,
            await partialsOfCell(context, jobId, members, partials, cell),
          ]),
        ),
      );
      if (groups.length === 1) inputs = parts;
      else {
        const sums = await add(parts, group);
        if (!sums) return true;
        for (const [cell, blob] of sums) sumsOfGroups.get(cell)?.set(`sum/${cell}/${group}`, blob);
      }
    }
    const sums = await add(inputs);
    if (!sums) return true;
    for (const blob of sums.values()) await context.store.put(blob);
  }
  report(context, 'aggregate', jobId, `added ${open.length} cells of ${owners.length} institutions`);
  return true;
}

/** By cell: what is added, by its transient name. */
type CellInputs = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

async function partialsOfCell(
  context: AgentContext,
  jobId: string,
  owners: readonly string[],
  partials: Readonly<Record<string, PartialsRecord>>,
  cell: string,
): Promise<Map<string, Uint8Array>> {
  const blobs = await partialBlobs(context, jobId, owners, partials, cell);
  return new Map(
    owners.map((owner, index) => [`partial/${cell}/${owner}`, blobs[index] ?? new Uint8Array()]),
  );
}

/** The partials of one cell in the order of the owners, each read by the hash that its owner posted. */
export async function partialBlobs(
  context: AgentContext,
  jobId: string,
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
      // Either gives the bytes of that hash, or none.
      return owner === context.mspId
        ? context.store.get(hash)
        : context.peers.get(owner, hash, { kind: 'job', jobId });
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
