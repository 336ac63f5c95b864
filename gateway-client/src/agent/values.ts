import { countCommittee, type JobAccess, type SharesView } from '@strokeshare/chaincode';
import { combineShares, roundedCount, sumOfC0 } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { sealShares, sharePurpose, sharesOf } from '../sealed-messages.js';
import { requireAgreement } from './agreements.js';
import { report, type AgentContext } from './context.js';
import { passedByAll, sharesOfCells } from './counts.js';
import type { ReplayedJob } from './replay.js';
import { releasesVector, sealSumOfVectors } from './vector.js';

/**
 * Seals this holder's shares of the values to the researcher: only of cells whose count the whole committee passed
 * and the contract computed as this holder does. Where differential privacy is agreed, every share has its noise.
 */
export async function postValueShares(
  context: AgentContext,
  access: JobAccess,
  replayed: ReplayedJob,
  posted: SharesView,
): Promise<void> {
  const { job } = access;
  const passing = await passedByAll(context, access, replayed, posted);
  for (const cell of passing) requireSameCount(access, replayed, posted, cell);
  const cells = replayed.plan.cells
    .filter(
      ({ id, kind, countCell }) => kind === 'value' && replayed.aggregates.has(id) && passing.has(countCell),
    )
    .map(({ id }) => id);
  const { content } = await requireAgreement(context, job.agreementId, job.agreementDigest);
  const shares = await sharesOfCells(context, access, replayed, cells, content.permission.privacy);
  const { researcherId } = job;
  const researcher = await context.consortium.researchers.get({ researcherId }, { signal: context.signal });
  const purpose = sharePurpose('value-shares', job, context.mspId, researcherId);
  const sealed = await sealShares(researcher.sealingKey, shares, purpose);
  const sealedVector = releasesVector(job)
    ? await sealSumOfVectors(context, access, replayed.plan, posted, researcher.sealingKey)
    : undefined;
  await context.consortium.jobs.postValueShares(
    { jobId: job.jobId, sealed, ...(sealedVector !== undefined && { sealedVector }) },
    { signal: context.signal },
  );
  report(context, 'values', job.jobId, `sealed ${shares.size} value shares to the researcher`);
}

/** The contract's count of a passing cell has to be the one that the opened shares give. */
function requireSameCount(
  { job }: JobAccess,
  { plan, set, aggregates }: ReplayedJob,
  { opened }: SharesView,
  cell: string,
): void {
  const shares = new Map(
    countCommittee(job).map(({ mspId, index }) => [
      index,
      sharesOf(opened[mspId]?.shares ?? {}).get(cell) ?? new Uint8Array(),
    ]),
  );
  const scale = plan.cells.find(({ id }) => id === cell)?.scale;
  const body = aggregates.get(cell);
  const outcome = job.outcomes?.[cell];
  const count =
    scale &&
    body &&
    roundedCount(
      combineShares(set, { c0: sumOfC0(body, set), shares }),
      { numerator: BigInt(scale.numerator), denominator: BigInt(scale.denominator) },
      set.slots,
    );
  if (outcome?.status !== 'PASSED' || count === undefined || Number(count) !== outcome.count) {
    throw new ClientError(
      'REPLAY_MISMATCH',
      `The contract and the opened shares differ in the count of cell ${cell} of job ${job.jobId}.`,
    );
  }
}
