/**
 * A regression's vector: computed by each institution on its own records inside its internal zone, shared out among the
 * holders of the key, added up by each holder, and released to the researcher by the committee. It never touches the
 * collective key. One institution's vector is open to t holders together, as its records are; to fewer it is noise.
 */
import type { JobAccess, JobView, SharesView } from '@strokeshare/chaincode';
import {
  addVectors,
  canonicalJson,
  COEFFICIENT_UNIT,
  dealVector,
  encodeVector,
  logisticVector,
  openVectorShare,
  releaseVectorShare,
  sha256Hex,
  type AnalysisPlan,
  type HolderKey,
  type LogisticStatistic,
  type PlanVector,
  type SealingKeyPair,
  type VectorContext,
} from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { planOfJob } from '../job/plan.js';
import { sealFor, sharePurpose } from '../sealed-messages.js';
import { allInstitutions, report, type AgentContext } from './context.js';
import { openHolderKey } from './holder-key.js';
import { originalName, type BatchName } from './own-records.js';

/** Whether a job releases a vector: the count of its patients has passed. */
export function releasesVector({ vector, outcomes }: Pick<JobView, 'vector' | 'outcomes'>): boolean {
  return vector !== undefined && outcomes?.[vector.countCell]?.status === 'PASSED';
}

/** Institutions in the sums that have not shared out their vectors. */
export function undealt(job: JobView, { dealt }: Pick<SharesView, 'dealt'>): string[] {
  return releasesVector(job) ? (job.included ?? []).filter((mspId) => !Object.hasOwn(dealt, mspId)) : [];
}

/** Computes the own vector and shares it out. */
export async function dealOwnVector(context: AgentContext, access: JobAccess): Promise<void> {
  const { mspId, consortium, signal } = context;
  const { job, epoch } = access;
  const { plan } = planOfJob(access);
  const { vector, statistic } = regressionOf(plan);
  const own = access.datasets
    .filter(({ owner }) => owner === mspId)
    .flatMap(({ datasetId, batches }) => batches.map(({ batchId }) => ({ datasetId, batchId })));
  const words = encodeVector(await ownSums(context, statistic, job.query.where, own), vector.format);
  const keys = await sealingKeys(context, epoch.members);
  const shares = await dealVector(vectorContext(access, vector), mspId, words, epoch.threshold, keys);
  const sealed = Object.fromEntries(
    epoch.members.map((member, i) => [member, base64(shares[i] ?? new Uint8Array())]),
  );
  await consortium.jobs.dealVector({ jobId: job.jobId, sealed }, { signal });
  report(
    context,
    'vector',
    job.jobId,
    `shared out ${vector.format.length} sums among ${keys.length} holders`,
  );
}

/** This holder's share of the sum of all vectors, sealed to the researcher. */
export async function sealSumOfVectors(
  context: AgentContext,
  access: JobAccess,
  plan: AnalysisPlan,
  { dealt }: SharesView,
  researcherKey: string,
): Promise<string> {
  const { job } = access;
  using key = await openHolderKey(context, access.epoch.epochId);
  const share = await sumShare(key, context.keys.sealing, access, plan, dealt);
  return sealFor(researcherKey, share, sharePurpose('vector-share', job, context.mspId, job.researcherId));
}

/** The same before sealing. */
export async function sumShare(
  key: HolderKey,
  keys: Pick<SealingKeyPair, 'privateKey'>,
  access: JobAccess,
  plan: AnalysisPlan,
  dealt: SharesView['dealt'],
): Promise<Uint8Array> {
  const { job, epoch } = access;
  const { vector } = regressionOf(plan);
  const context = vectorContext(access, vector);
  const own = epoch.members[key.index - 1] ?? '';
  const holder = { index: key.index, keys };
  const vectors = await Promise.all(
    (job.included ?? []).map((contributor) => {
      const sealed = new Uint8Array(Buffer.from(dealt[contributor]?.sealed[own] ?? '', 'base64'));
      return openVectorShare(context, contributor, holder, sealed, vector.format.length);
    }),
  );
  const sealed = Object.fromEntries((job.included ?? []).map((mspId) => [mspId, dealt[mspId]?.sealed ?? {}]));
  const committee = (job.committee ?? []).map(({ index }) => index).sort((a, b) => a - b);
  const inputs = sha256Hex(canonicalJson(sealed));
  const { vectorId } = context;
  return releaseVectorShare(key, { vectorId, sum: addVectors(vectors), inputs, committee });
}

/** Which vector of which job under which key. */
export function vectorContext({ job, epoch }: JobAccess, { statistic }: PlanVector): VectorContext {
  const { parameterSetId, epochId } = epoch;
  return { parameterSetId, epochId, vectorId: `${job.jobId}/${statistic}` };
}

/** The regression of a plan. */
function regressionOf({ vector, statistics }: AnalysisPlan): {
  vector: PlanVector;
  statistic: LogisticStatistic;
} {
  const statistic = statistics.find(({ id }) => id === vector?.statistic);
  if (!vector || statistic?.kind !== 'logistic') throw new TypeError('the plan has no regression');
  return { vector, statistic };
}

/** The sums over all own records that are complete and meet the conditions, batch by batch. */
async function ownSums(
  { originals }: AgentContext,
  { outcome, terms, coefficients }: LogisticStatistic,
  where: JobView['query']['where'],
  batches: readonly BatchName[],
): Promise<number[]> {
  let total: number[] | undefined;
  for (const batch of batches) {
    const { gradient, hessian, logLikelihood } = await originals.logistic(originalName(batch), {
      outcome,
      terms,
      coefficients: coefficients.map((units) => units * COEFFICIENT_UNIT),
      where: where ?? [],
      // The count gate decides about all of them together, before anything is computed.
      minimumRecords: 0,
    });
    const information = hessian.map((row) => row.map((entry) => -entry));
    const part = logisticVector({ gradient, information, logLikelihood });
    total = total?.map((sum, i) => sum + (part[i] ?? 0)) ?? part;
  }
  if (!total) throw new ClientError('FILE_MISSING', 'There are no own records for the regression.');
  return total;
}

async function sealingKeys(context: AgentContext, members: readonly string[]): Promise<Uint8Array[]> {
  const known = new Map((await allInstitutions(context)).map((entry) => [entry.mspId, entry.sealingKey]));
  return members.map((mspId) => {
    const key = known.get(mspId);
    if (key === undefined) throw new ClientError('POLICY_REFUSED', `${mspId} is not enrolled.`);
    return new Uint8Array(Buffer.from(key, 'base64'));
  });
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
