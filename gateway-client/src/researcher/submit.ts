import { randomBytes } from 'node:crypto';
import type { JobView, Permission, RequestPermission, Researcher as Entry } from '@strokeshare/chaincode';
import { LedgerError, untilDefined } from '../connect/index.js';
import { ClientError } from '../errors.js';
import { hasEnded } from '../job/ended.js';
import { forecast } from './forecast.js';
import type { JobFile } from './job-file.js';
import type { ResearcherContext } from './open.js';

/** A job that the contract refused: the refusal is on the ledger. */
export class JobRefused extends ClientError {
  override readonly name = 'JobRefused';

  constructor(
    readonly jobId: string,
    /** The rule's code, `VARIABLE_NOT_COVERED` for example. */
    readonly refusalCode: string,
    readonly reason: string,
  ) {
    super('JOB_REFUSED', `Job ${jobId} was refused: ${reason} (${refusalCode})`);
  }
}

/**
 * Enters the researcher with the key that results are sealed to; nothing is done where it is entered already.
 *
 * @throws ClientError `KEY_FILE_INVALID` where it is entered with another key, so that results could not be opened here.
 */
export async function register(
  { client, keys, signal }: ResearcherContext,
  { name, affiliation }: { name: string; affiliation: string },
): Promise<Entry> {
  const sealingKey = Buffer.from(keys.publicKey).toString('base64');
  const known = await client.researchers.get({}, { signal }).catch((error: unknown) => {
    if (!(error instanceof LedgerError) || error.contractCode === undefined) throw error;
    return undefined;
  });
  if (!known) return client.researchers.register({ name, affiliation, sealingKey }, { signal });
  if (known.sealingKey === sealingKey) return known;
  throw new ClientError(
    'KEY_FILE_INVALID',
    `${known.researcherId} is registered with another key than that of this folder: use the folder that was registered, or "strokeshare researcher rotate".`,
  );
}

/** Asks for access. */
export function requestAccess(
  { client, signal }: ResearcherContext,
  request: RequestPermission,
): Promise<Permission> {
  return client.permissions.request(request, { signal });
}

/**
 * Submits a job under a fresh id.
 *
 * @throws JobRefused when the agreement does not cover it; ClientError `JOB_FILE_INVALID`, before anything is sent, for
 *   a statistic that names what its variables do not have.
 */
export async function submitJob(context: ResearcherContext, file: JobFile): Promise<JobView> {
  const { client, signal } = context;
  const { name, agreement, purpose, query, ...rest } = file;
  if (file.analyses.length > 0) await requireStatistics(context, file);
  const jobId = `${name}-${randomBytes(4).toString('hex')}`;
  const { deadlineMinutes, quorum, postingMinutes, holderMinutes } = rest;
  const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
  const job = await client.jobs.submit(
    {
      jobId,
      agreementId: agreement,
      purpose,
      query,
      ...(deadlineMinutes !== undefined && { deadline: inMinutes(deadlineMinutes) }),
      ...(quorum !== undefined && { quorum }),
      ...(postingMinutes !== undefined && { postingDeadline: inMinutes(postingMinutes) }),
      ...(holderMinutes !== undefined && { holderMinutes }),
    },
    { signal },
  );
  return checkedOutcome(job);
}

/** A wrong level would be noticed only when every cell is released and charged. */
async function requireStatistics(context: ResearcherContext, file: JobFile): Promise<void> {
  try {
    await forecast(context, file);
  } catch (error) {
    // Whatever else is wrong is for the contract to refuse: its refusal stays on the ledger.
    if (error instanceof ClientError && error.code === 'JOB_FILE_INVALID') throw error;
  }
}

/**
 * Waits until a job has ended.
 *
 * @param onState - told of every state that the job is seen in.
 * @throws JobRefused; ClientError `JOB_FAILED`, `CANCELLED`.
 */
export async function waitForJob(
  { client, events, signal }: ResearcherContext,
  jobId: string,
  onState: (state: JobView['state']) => void = () => undefined,
): Promise<JobView> {
  let last: JobView['state'] | undefined;
  return untilDefined(events, signal, async () => {
    const job = await client.jobs.get({ jobId }, { signal });
    if (job.state !== last) onState((last = job.state));
    return hasEnded(job.state) ? checkedOutcome(job) : undefined;
  });
}

/** @throws JobRefused; ClientError `JOB_FAILED`. */
export function checkedOutcome(job: JobView): JobView {
  if (job.state === 'REFUSED') {
    throw new JobRefused(job.jobId, job.refusal?.code ?? '', job.refusal?.reason ?? 'no reason was given.');
  }
  if (job.state === 'FAILED') {
    const missing = job.missing?.join(', ') ?? '';
    throw new ClientError(
      'JOB_FAILED',
      `Job ${job.jobId} failed at its deadline; ${missing} did not deliver.`,
    );
  }
  if (job.state === 'CANCELLED') throw new ClientError('JOB_FAILED', `Job ${job.jobId} was cancelled.`);
  return job;
}

/**
 * Cancels an own job that has not ended.
 *
 * @throws LedgerError with the contract's code ILLEGAL_STATE where it has.
 */
export function cancelJob(
  { client, signal }: ResearcherContext,
  jobId: string,
  reason: string,
): Promise<JobView> {
  return client.jobs.cancel({ jobId, reason }, { signal });
}
