import type { JobAccess } from '@strokeshare/chaincode';
import { blobHash, decodeBlob, sumOfC0, workOf } from '@strokeshare/fhe';
import { ClientError } from '../errors.js';
import { planOfJob, type JobPlan } from '../job/plan.js';
import { withheldByAny } from './aggregate.js';
import { epochKeys, report, type AgentContext } from './context.js';
import { batchesOf, readColumns } from './job-blobs.js';

/** A job as this institution computed it itself, from every institution's ciphertexts. */
export interface ReplayedJob extends JobPlan {
  /** Cell to the body of its aggregate, for every cell that nobody withholds. */
  aggregates: Map<string, Uint8Array>;
}

/**
 * Evaluates every institution's ciphertexts again, word for word, and compares every partial and every aggregate with
 * the hashes on the ledger. A holder does this before it computes a share: a share of a ciphertext that somebody chose
 * would give away coefficients of the collective key.
 *
 * @throws ClientError `REPLAY_MISMATCH` naming institution and cell.
 */
export async function replayJob(context: AgentContext, access: JobAccess): Promise<ReplayedJob> {
  const { consortium, signal } = context;
  const { job, epoch } = access;
  const { jobId } = job;
  const jobPlan = planOfJob(access);
  const { plan, set } = jobPlan;
  const [{ partials }, { aggregates: onLedger }] = await Promise.all([
    consortium.jobs.partials({ jobId }, { signal }),
    consortium.jobs.aggregates({ jobId }, { signal }),
  ]);
  const withheld = withheldByAny(job, partials);
  const cells = plan.cells.map(({ id }) => id).filter((id) => !withheld.has(id));
  const { columns } = workOf(plan, cells);
  const evaluator = await context.evaluators.forEvaluation(set, epochKeys(context, epoch));

  const byOwner = await Promise.all(
    (job.included ?? job.participants).map(async (owner) => {
      const evaluated =
        ownPartials(context, jobId, owner, cells) ??
        (await evaluator.evaluate(
          {
            plan,
            cells,
            epochId: epoch.epochId,
            batches: readColumns(context, await batchesOf(context, access, owner), columns),
          },
          { signal },
        ));
      for (const [cell, blob] of evaluated) {
        if (blobHash(blob) !== partials[owner]?.partials[cell]) {
          throw new ClientError(
            'REPLAY_MISMATCH',
            `The partial that ${owner} posted for cell ${cell} of job ${jobId} is not what its ciphertexts give.`,
          );
        }
      }
      return evaluated;
    }),
  );

  const aggregates = new Map<string, Uint8Array>();
  const header = { kind: 'ciphertext', parameterSetId: set.id, epochId: epoch.epochId } as const;
  for (const cell of cells) {
    const parts = byOwner.map((evaluated) => evaluated.get(cell) ?? new Uint8Array());
    const sum = await evaluator.add(epoch.epochId, parts, { signal });
    const body = decodeBlob(sum, header);
    const posted = onLedger[cell];
    const c0 = Buffer.from(sumOfC0(body, set)).toString('base64');
    if (blobHash(sum) !== posted?.hash || c0 !== posted.c0) {
      throw new ClientError(
        'REPLAY_MISMATCH',
        `The aggregate of cell ${cell} of job ${jobId} is not the partials' sum.`,
      );
    }
    aggregates.set(cell, body);
  }
  report(context, 'replay', jobId, `recomputed ${cells.length} cells of ${byOwner.length} institutions`);
  return { ...jobPlan, aggregates };
}

/** What this process evaluated itself for the same job need not be evaluated again. */
function ownPartials(
  { mspId, evaluations }: AgentContext,
  jobId: string,
  owner: string,
  cells: readonly string[],
): Map<string, Uint8Array> | undefined {
  const made = owner === mspId ? evaluations.get(jobId) : undefined;
  const partials = new Map<string, Uint8Array>();
  for (const cell of cells) {
    const blob = made?.get(cell);
    if (!blob) return undefined;
    partials.set(cell, blob);
  }
  return partials;
}
