/** The count gate: a committee opens the encrypted counts among itself before any value is released. */
import {
  cohortsOf,
  comparisonsOf,
  countCommittee,
  releasable,
  signDetached,
  signingKeyAt,
  verifyDetached,
  type JobAccess,
  type PrivacyTerms,
  type SharesView,
  type VerdictContent,
} from '@strokeshare/chaincode';
import { combineShares, roundedCount, sumOfC0 } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { privacySigmaOf } from '../job/privacy.js';
import { openShares, sealShares, sharePurpose } from '../sealed-messages.js';
import { allInstitutions, report, type AgentContext } from './context.js';
import type { ReplayedJob } from './replay.js';
import { ShareBook } from './share-book.js';

type Verdicts = VerdictContent['verdicts'];

/** Seals this holder's shares of the counts to every other member of the committee. */
export async function postCountShares(
  context: AgentContext,
  access: JobAccess,
  replayed: ReplayedJob,
): Promise<void> {
  const { job } = access;
  const shares = await ownCountShares(context, access, replayed);
  const keys = new Map((await allInstitutions(context)).map(({ mspId, sealingKey }) => [mspId, sealingKey]));
  const sealed: Record<string, string> = {};
  for (const { mspId } of job.committee ?? []) {
    if (mspId === context.mspId) continue;
    const sealingKey = keys.get(mspId);
    if (sealingKey === undefined) throw new ClientError('POLICY_REFUSED', `${mspId} is not enrolled.`);
    const purpose = sharePurpose('count-shares', job, context.mspId, mspId);
    sealed[mspId] = await sealShares(sealingKey, shares, purpose);
  }
  await context.consortium.jobs.postCountShares({ jobId: job.jobId, sealed }, { signal: context.signal });
  report(context, 'counts', job.jobId, `sealed ${shares.size} count shares to the committee`);
}

/**
 * Opens the counts and signs pass or suppress for each: pass from the job's minimum cohort on, unless that would let a
 * suppressed count be computed, or a sum over too few be taken from two that overlap.
 */
export async function postVerdict(
  context: AgentContext,
  access: JobAccess,
  replayed: ReplayedJob,
  posted: SharesView,
): Promise<void> {
  const { job } = access;
  const counts = await openedCounts(context, access, replayed, posted);
  const { data, known } = await context.consortium.jobs.compared(
    { jobId: job.jobId },
    { signal: context.signal },
  );
  const asked = cohortsOf(replayed.plan.cells, data, replayed.plan.vector).map((cohort) => {
    const count = counts.get(cohort.cell);
    return { ...cohort, ...(count !== undefined && { count }) };
  });
  const compared = new Set(comparisonsOf(replayed.plan.cells));
  const common = new Map([...counts].filter(([cell]) => compared.has(cell)));
  const passing = releasable(asked, job.minimumCohort, known, common);
  // What is counted for comparison alone stays among the committee.
  const judged = [...counts.keys()].filter((cell) => !compared.has(cell));
  const verdicts: Verdicts = Object.fromEntries(
    judged.map((cell) => [cell, passing.has(cell) ? 'pass' : 'suppress']),
  );
  const content = verdictContent(access, replayed, context.mspId, verdicts);
  const signature = signDetached(content, context.keys.signing.privateKey);
  await context.consortium.jobs.postVerdict(
    { jobId: job.jobId, verdicts, signature },
    { signal: context.signal },
  );
  const passed = Object.values(verdicts).filter((verdict) => verdict === 'pass').length;
  report(context, 'counts', job.jobId, `passed ${passed} of ${judged.length} counts`);
}

/** Posts, in the open, the same share bytes of every count that the whole committee passed. */
export async function openCounts(
  context: AgentContext,
  access: JobAccess,
  replayed: ReplayedJob,
  posted: SharesView,
): Promise<void> {
  const { jobId } = access.job;
  const passing = await passedByAll(context, access, replayed, posted);
  const own = await ownCountShares(context, access, replayed);
  const shares = Object.fromEntries(
    [...own].filter(([cell]) => passing.has(cell)).map(([cell, share]) => [cell, base64(share)]),
  );
  await context.consortium.jobs.openCounts({ jobId, shares }, { signal: context.signal });
  report(context, 'counts', jobId, `opened ${passing.size} counts`);
}

/**
 * The counts that every member of the committee passed, by verdicts whose signatures are verified here.
 *
 * @throws ClientError `POLICY_REFUSED` naming whose signature does not verify.
 */
export async function passedByAll(
  context: AgentContext,
  access: JobAccess,
  replayed: ReplayedJob,
  { verdicts }: SharesView,
): Promise<Set<string>> {
  const entries = new Map((await allInstitutions(context)).map((entry) => [entry.mspId, entry]));
  let passing = new Set(countCells(replayed));
  for (const { mspId } of countCommittee(access.job)) {
    const posted = verdicts[mspId];
    const entry = entries.get(mspId);
    const key = entry && posted && signingKeyAt(entry, posted.at);
    const content = posted && verdictContent(access, replayed, mspId, posted.verdicts);
    if (!posted || !content || !key || !verifyDetached(content, posted.signature, key)) {
      throw new ClientError(
        'POLICY_REFUSED',
        `The verdict of ${mspId} on job ${access.job.jobId} is not signed by it.`,
      );
    }
    passing = new Set([...passing].filter((cell) => posted.verdicts[cell] === 'pass'));
  }
  return passing;
}

/** The exact counts, from the own shares and those that the others sealed to this institution. */
async function openedCounts(
  context: AgentContext,
  access: JobAccess,
  replayed: ReplayedJob,
  posted: SharesView,
): Promise<Map<string, number>> {
  const { committee = [] } = access.job;
  const byIndex = new Map<number, Map<string, Uint8Array>>();
  for (const { mspId, index } of committee) {
    if (mspId === context.mspId) byIndex.set(index, await ownCountShares(context, access, replayed));
    else {
      const sealed = posted.countShares[mspId]?.sealed[context.mspId] ?? '';
      const purpose = sharePurpose('count-shares', access.job, mspId, context.mspId);
      byIndex.set(index, await openShares(context.keys.sealing, sealed, purpose));
    }
  }
  const counts = countCells(replayed).map((cell): [string, number] => {
    const body = replayed.aggregates.get(cell) ?? new Uint8Array();
    const { scale } = cellOf(replayed, cell);
    const shares = new Map(
      [...byIndex].map(([index, bundle]) => [index, bundle.get(cell) ?? new Uint8Array()]),
    );
    const residue = combineShares(replayed.set, { c0: sumOfC0(body, replayed.set), shares });
    const exact = { numerator: BigInt(scale.numerator), denominator: BigInt(scale.denominator) };
    return [cell, Number(roundedCount(residue, exact, replayed.set.slots))];
  });
  return new Map(counts);
}

function ownCountShares(
  context: AgentContext,
  access: JobAccess,
  replayed: ReplayedJob,
): Promise<Map<string, Uint8Array>> {
  return sharesOfCells(context, access, replayed, countCells(replayed));
}

/** This holder's shares of some cells, computed once and replayed ever after. */
export function sharesOfCells(
  context: AgentContext,
  { job, epoch }: JobAccess,
  replayed: ReplayedJob,
  cells: readonly string[],
  privacy?: PrivacyTerms,
): Promise<Map<string, Uint8Array>> {
  const committee = (job.committee ?? []).map(({ index }) => index);
  const requests = cells.map((cell) => ({
    cell,
    ciphertext: replayed.aggregates.get(cell) ?? new Uint8Array(),
    sigma: BigInt(cellOf(replayed, cell).sigma),
    ...(privacy && { privacySigma: privacySigmaOf(replayed.set, cellOf(replayed, cell), privacy) }),
  }));
  return new ShareBook(context).shares(job.jobId, epoch.epochId, committee, requests);
}

function countCells({ plan, aggregates }: ReplayedJob): string[] {
  return plan.cells.filter(({ id, kind }) => kind === 'count' && aggregates.has(id)).map(({ id }) => id);
}

function cellOf({ plan }: ReplayedJob, id: string) {
  const cell = plan.cells.find((candidate) => candidate.id === id);
  if (!cell) throw new TypeError(`the plan has no cell ${id}`);
  return cell;
}

function verdictContent(
  { job }: JobAccess,
  { plan }: ReplayedJob,
  mspId: string,
  verdicts: Verdicts,
): VerdictContent {
  return {
    type: 'strokeshare/verdict',
    version: 1,
    jobId: job.jobId,
    planHash: plan.hash,
    committee: countCommittee(job),
    mspId,
    verdicts,
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
