/** What the audit trail says of jobs and agreements. */
import { type AuditDraft } from './trail.js';
import { type DecisionStep } from '../api/decisions.js';
import { type Job, type JobState } from '../api/jobs.js';
import { type Agreement } from '../api/permissions.js';

/** Everything that an entry about a job refers to. */
export const aboutJob = (job: Job): Omit<AuditDraft, 'kind'> => ({
  jobId: job.jobId,
  researcherId: job.researcherId,
  datasets: job.datasets,
  institutions: job.participants,
  agreement: {
    agreementId: job.agreementId,
    version: job.agreementVersion,
    digest: job.agreementDigest,
  },
});

/** A step that is permitted. */
export const stepOf = (job: Job, step: DecisionStep): AuditDraft => ({
  ...aboutJob(job),
  kind: 'DECISION',
  step,
});

/** A move of a job: a refusal, a release of counts or values, or neither. */
export function moveOf(job: Job, state: JobState): AuditDraft {
  const draft: AuditDraft = { ...aboutJob(job), kind: 'DECISION', state };
  if (state === 'REFUSED')
    return {
      ...draft,
      kind: 'REFUSAL',
      ...(job.refusal && { refusal: job.refusal, step: job.refusal.step }),
    };
  const kind = state === 'COUNTED' ? 'count' : state === 'RELEASED' ? 'value' : undefined;
  const released = job.cells.filter(
    (cell) => cell.kind === kind && job.outcomes?.[cell.id]?.status === 'PASSED',
  );
  if (released.length > 0) return { ...draft, kind: 'RELEASE', released: released.length };
  if (state === 'CANCELLED' && job.cancellation)
    return { ...draft, kind: 'CHANGE', reason: job.cancellation.reason };
  return draft;
}

/** Something happened to an agreement. */
export const changeOf = (
  { agreementId, content, digest }: Agreement,
  state: string,
  reason?: string,
): AuditDraft => ({
  kind: 'CHANGE',
  state,
  ...(reason !== undefined && reason !== '' && { reason }),
  agreement: { agreementId, version: content.version, digest },
  researcherId: content.permission.researcherId,
  datasets: content.permission.datasets,
  institutions: content.owners,
});
