/** What waits for a person of the institution, and the person's answers. */
import type { AgreementView, JobView } from '@strokeshare/chaincode';
import { z } from 'zod';
import { ClientError } from '../errors.js';
import { answerAgreement, agreementsToSign, type AgreementToSign } from './agreements.js';
import { allPages, type AgentContext } from './context.js';

/** One thing that the institution's policy leaves to a person. */
export interface InboxItem {
  /** `agreement/ist-outcomes` or `job/aspirin-1a2b3c4d`. */
  name: string;
  /** Who asks. */
  researcherId: string;
  /** What is asked for, in words. */
  about: string;
  /** Why the policy does not decide it. */
  reasons: string[];
  /** When it is too late. */
  until: string;
}

const answer = z.strictObject({
  answer: z.enum(['approve', 'refuse']),
  reason: z.string(),
  at: z.iso.datetime(),
});
export type PersonsAnswer = z.infer<typeof answer>;

const ANSWERABLE = new Set<JobView['state']>(['SUBMITTED', 'EVALUATING', 'AGGREGATED', 'COUNTED']);

/** Lists what waits for a person: agreements to sign and jobs to take part in, outside the policy's bounds. */
export async function inbox(context: AgentContext): Promise<InboxItem[]> {
  const items: InboxItem[] = [];
  for (const { agreement, waiting } of await agreementsToSign(context)) {
    const decision = await context.policy.decide({ ...agreement, ...waiting });
    if (decision.answer === 'wait') items.push(itemOfAgreement(waiting.content, decision.reasons));
  }
  for (const job of await openJobs(context)) {
    const reasons = await context.policy.objectionsTo(job);
    if (reasons.length > 0 && !(await answerOf(context, job.jobId))) items.push(itemOfJob(job, reasons));
  }
  return items;
}

/**
 * Says yes to one item: signs the agreement, or lets the agent take part in the job.
 *
 * @param name - as {@link inbox} lists it; the id alone is enough where it is one thing's.
 * @throws ClientError `NOT_WAITING`; LedgerError.
 */
export async function approve(context: AgentContext, name: string): Promise<InboxItem> {
  const { item, toSign } = await found(context, name);
  if (toSign) await answerAgreement(context, toSign, { answer: 'sign' });
  else await writeAnswer(context, idOf(item), { answer: 'approve', reason: '' });
  return item;
}

/**
 * Says no to one item: refuses the agreement on the ledger, or has the agent give nothing to the job.
 *
 * @throws ClientError `NOT_WAITING`; LedgerError.
 */
export async function refuse(context: AgentContext, name: string, reason: string): Promise<InboxItem> {
  const { item, toSign } = await found(context, name);
  if (toSign) await answerAgreement(context, toSign, { answer: 'refuse', reason });
  else await writeAnswer(context, idOf(item), { answer: 'refuse', reason });
  return item;
}

/** Whether the agent may take part in a job: by its policy, or because a person said so. */
export async function mayTakePart(context: AgentContext, job: JobView): Promise<boolean> {
  const objections = await context.policy.objectionsTo(job);
  return objections.length === 0 || (await answerOf(context, job.jobId))?.answer === 'approve';
}

/** What a person said about a job; undefined while nobody has. */
async function answerOf({ vault }: AgentContext, jobId: string): Promise<PersonsAnswer | undefined> {
  const stored = await vault.readJson(entryOf(jobId));
  return stored === undefined ? undefined : answer.parse(stored);
}

function writeAnswer(
  { vault }: AgentContext,
  jobId: string,
  content: Omit<PersonsAnswer, 'at'>,
): Promise<void> {
  return vault.writeJson(entryOf(jobId), { ...content, at: new Date().toISOString() });
}

const entryOf = (jobId: string): string => `answer-${jobId}`;
const idOf = ({ name }: InboxItem): string => name.slice(name.indexOf('/') + 1);

async function found(
  context: AgentContext,
  name: string,
): Promise<{ item: InboxItem; toSign?: AgreementToSign }> {
  const items = (await inbox(context)).filter((item) => item.name === name || idOf(item) === name);
  const [item, other] = items;
  if (!item) {
    throw new ClientError(
      'NOT_WAITING',
      `${name} does not wait for a person of ${context.mspId}; "strokeshare inbox" lists what does.`,
    );
  }
  if (other)
    throw new ClientError('NOT_WAITING', `${name} is not clear: write ${item.name} or ${other.name}.`);
  const toSign = (await agreementsToSign(context)).find(
    ({ agreement }) => item.name === `agreement/${agreement.agreementId}`,
  );
  return toSign ? { item, toSign } : { item };
}

async function openJobs({ consortium, mspId, signal }: AgentContext): Promise<JobView[]> {
  const open = await allPages((after) =>
    consortium.jobs.listOpen(after === undefined ? {} : { after }, { signal }),
  );
  const views = await Promise.all(open.map(({ jobId }) => consortium.jobs.get({ jobId }, { signal })));
  return views.filter(
    ({ state, participants, committee = [] }) =>
      ANSWERABLE.has(state) && [...participants, ...committee.map((holder) => holder.mspId)].includes(mspId),
  );
}

function itemOfAgreement(
  { agreementId, version, permission }: AgreementView['content'],
  reasons: string[],
): InboxItem {
  const { researcherId, datasets, variables, statistics, purpose, from, until } = permission;
  return {
    name: `agreement/${agreementId}`,
    researcherId,
    about:
      `${version === 1 ? '' : `version ${version}, `}${statistics.join(', ')} of ${variables.join(', ')} ` +
      `over ${datasets.join(', ')} for ${purpose}, ${from} to ${until}`,
    reasons,
    until,
  };
}

function itemOfJob(
  { jobId, researcherId, agreementId, cells, deadline }: JobView,
  reasons: string[],
): InboxItem {
  return {
    name: `job/${jobId}`,
    researcherId,
    about: `${cells.length} cells under the agreement ${agreementId}`,
    reasons,
    until: deadline,
  };
}
