/** What a job says of its own time: deadlines and quorum within bounds. */
import { canonicalJson } from '@strokeshare/fhe';
import { HOLDER_MINUTES, type Job, LIFETIME_MS, type SubmitJob } from '../api/jobs.js';
import { ContractError } from '../errors.js';

type Schedule = Pick<Job, 'deadline' | 'postingDeadline' | 'quorum' | 'holderMinutes'>;

/**
 * @param institutions - how many take part
 * @throws ContractError BAD_REQUEST
 */
export function scheduleOf(request: SubmitJob, institutions: number, now: number): Schedule {
  const deadline = request.deadline === undefined ? now + LIFETIME_MS.usual : Date.parse(request.deadline);
  if (deadline < now + LIFETIME_MS.least || deadline > now + LIFETIME_MS.most)
    throw new ContractError('BAD_REQUEST', 'A job runs for a minute at least and for 30 days at most.');
  const { quorum = institutions, holderMinutes = HOLDER_MINUTES } = request;
  if (quorum > institutions || quorum < Math.min(2, institutions))
    throw new ContractError(
      'BAD_REQUEST',
      `Of ${institutions} institutions a job asks for ${Math.min(2, institutions)} at least and for all at most.`,
    );
  if (request.postingDeadline !== undefined && request.quorum === undefined)
    throw new ContractError('BAD_REQUEST', 'A posting deadline belongs to a quorum.');
  const posting = postingOf(request, now, deadline);
  if (posting <= now || posting > deadline)
    throw new ContractError(
      'BAD_REQUEST',
      'The posting deadline is after submission and not after the deadline.',
    );
  return {
    deadline: new Date(deadline).toISOString(),
    postingDeadline: new Date(posting).toISOString(),
    quorum,
    holderMinutes,
  };
}

function postingOf({ quorum, postingDeadline }: SubmitJob, now: number, deadline: number): number {
  if (postingDeadline !== undefined) return Date.parse(postingDeadline);
  return quorum === undefined ? deadline : now + Math.floor((deadline - now) / 2);
}

/** Whether a job on the ledger is what this request asks for: then submitting it again changes nothing. */
export function isRetry(job: Job, request: SubmitJob, researcherId: string): boolean {
  const same = ({ agreementId, purpose, query }: SubmitJob): string =>
    canonicalJson({ agreementId, purpose, query });
  return (
    job.researcherId === researcherId &&
    same(job) === same(request) &&
    (['deadline', 'quorum', 'postingDeadline', 'holderMinutes'] as const).every(
      (name) => request[name] === undefined || request[name] === job[name],
    )
  );
}
