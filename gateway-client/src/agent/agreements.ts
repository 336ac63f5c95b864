import {
  digestOf,
  signDetached,
  signingKeyAt,
  verifyDetached,
  type AgreementVersionView,
  type AgreementView,
  type JobView,
} from '@strokeshare/chaincode';
import { planVariables } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { allInstitutions, allPages, report, type AgentContext, type Step } from './context.js';
import type { Decision } from './policy.js';

/** As many verified agreements are remembered. */
const AGREEMENTS_KEPT = 64;

/** An agreement with the version of it that waits for this institution's signature. */
export interface AgreementToSign {
  agreement: AgreementView;
  waiting: AgreementVersionView;
}

/** Signs or refuses one version of an agreement that waits for it, as the institution's policy says. */
export const agreementStep: Step = async (context) => {
  for await (const toSign of waitingAgreements(context)) {
    const decision = await context.policy.decide({ ...toSign.agreement, ...toSign.waiting });
    if (decision.answer === 'wait') continue;
    await answerAgreement(context, toSign, decision);
    return true;
  }
  return false;
};

/** All agreements that wait for this institution's signature. */
export async function agreementsToSign(context: AgentContext): Promise<AgreementToSign[]> {
  const all: AgreementToSign[] = [];
  for await (const toSign of waitingAgreements(context)) all.push(toSign);
  return all;
}

async function* waitingAgreements(context: AgentContext): AsyncGenerator<AgreementToSign> {
  const { consortium, mspId, signal } = context;
  const latest = await allPages((after) =>
    consortium.agreements.list(after === undefined ? {} : { after }, { signal }),
  );
  for (const { agreementId, content } of latest) {
    if (!content.owners.includes(mspId)) continue;
    const agreement = await consortium.agreements.get({ agreementId }, { signal });
    const waiting = waitingVersion(agreement);
    if (!waiting || waiting.signatures[mspId] || !waiting.content.owners.includes(mspId)) continue;
    if (digestOf(waiting.content) !== waiting.digest) {
      throw new ClientError(
        'REPLAY_MISMATCH',
        `The digest of agreement ${agreementId} is not that of its content.`,
      );
    }
    yield { agreement, waiting };
  }
}

/** Signs with the institution's enrolled key, or refuses: on the ledger either way. */
export async function answerAgreement(
  context: AgentContext,
  { agreement: { agreementId }, waiting: { content } }: AgreementToSign,
  answer: Exclude<Decision, { answer: 'wait' }>,
): Promise<void> {
  const { consortium, signal } = context;
  const { version } = content;
  if (answer.answer === 'refuse') {
    await consortium.agreements.refuse({ agreementId, version, reason: answer.reason }, { signal });
    report(context, 'agreement', agreementId, `refused: ${answer.reason}`);
  } else {
    const signature = signDetached(content, context.keys.signing.privateKey);
    await consortium.agreements.sign({ agreementId, version, signature }, { signal });
    report(context, 'agreement', agreementId, version === 1 ? 'signed' : `signed version ${version}`);
  }
}

/** The version that can be signed now: the first, or an amendment of what is in force. */
function waitingVersion(agreement: AgreementView): AgreementVersionView | undefined {
  if (agreement.state === 'PROPOSED') return agreement;
  const { amendment } = agreement;
  const live = agreement.state === 'ACTIVE' || agreement.state === 'SUSPENDED';
  return live && amendment?.versionState === 'PROPOSED' ? amendment : undefined;
}

/**
 * Verifies the agreement of a job, and that what its owners signed covers the job: researcher, datasets, variables,
 * statistics, purpose and minimum cohort. The contract decided the same; no share rests on that alone.
 *
 * @throws ClientError `POLICY_REFUSED` naming what does not hold.
 */
export async function requireCovered(context: AgentContext, job: JobView): Promise<AgreementView> {
  const agreement = await requireAgreement(context, job.agreementId, job.agreementDigest);
  const { permission } = agreement.content;
  const statistics: readonly string[] = permission.statistics;
  const uncovered = [
    permission.researcherId === job.researcherId || 'researcher',
    permission.datasets.join() === job.datasets.join() || 'datasets',
    permission.purpose === job.purpose || 'purpose',
    job.minimumCohort >= permission.minimumCohort || 'minimum cohort',
    planVariables(job.query).every((name) => permission.variables.includes(name)) || 'variables',
    job.query.statistics.every(({ kind }) => statistics.includes(kind)) || 'statistics',
  ].find((answer) => answer !== true);
  if (uncovered === undefined) return agreement;
  throw new ClientError(
    'POLICY_REFUSED',
    `The agreement ${job.agreementId} does not cover the ${String(uncovered)} of job ${job.jobId}.`,
  );
}

/**
 * Reads an agreement and verifies for itself what the contract verified: every owner's signature over the content, by
 * the key that was enrolled when it signed, the digest that the job names, and the period by the own clock. Signatures
 * under a digest stay what they are and are verified once; whether the agreement is still in force, the contract says
 * at every step.
 *
 * @throws ClientError `POLICY_REFUSED` naming what does not hold.
 */
export async function requireAgreement(
  context: AgentContext,
  agreementId: string,
  digest: string,
): Promise<AgreementView> {
  const { agreements } = context;
  const name = `${agreementId} ${digest}`;
  const agreement = agreements.get(name) ?? (await verifiedAgreement(context, agreementId, digest));
  agreements.set(name, agreement);
  for (const old of [...agreements.keys()].slice(0, -AGREEMENTS_KEPT)) agreements.delete(old);
  const { from, until } = agreement.content.permission;
  const now = Date.now();
  if (now < Date.parse(from) || now >= Date.parse(until))
    throw refusal(agreementId, `covers ${from} to ${until}, and it is another time here`);
  return agreement;
}

const refusal = (agreementId: string, reason: string): ClientError =>
  new ClientError('POLICY_REFUSED', `The agreement ${agreementId} ${reason}.`);

async function verifiedAgreement(
  context: AgentContext,
  agreementId: string,
  digest: string,
): Promise<AgreementView> {
  const agreement = await context.consortium.agreements.get({ agreementId }, { signal: context.signal });
  const { content, signatures } = agreement;
  if (digestOf(content) !== digest) throw refusal(agreementId, 'is not the one that the job names');
  if (agreement.state !== 'ACTIVE') throw refusal(agreementId, `is ${agreement.state}`);
  const entries = new Map((await allInstitutions(context)).map((entry) => [entry.mspId, entry]));
  for (const owner of content.owners) {
    const entry = entries.get(owner);
    const slot = signatures[owner];
    const key = entry && slot && signingKeyAt(entry, slot.at);
    if (!key || !verifyDetached(content, slot.signature, key)) {
      throw refusal(agreementId, `has no valid signature of ${owner}`);
    }
  }
  return agreement;
}
