/**
 * Release budgets, reserved once per job. An agreement has one counter: two jobs submitted at once under one agreement
 * conflict, and one is repeated. All jobs draw on an epoch's flooding budget, so that is kept in shards by job id.
 */
import { createHash } from 'node:crypto';
import { parameterSet } from '@strokeshare/fhe';
import { type Epoch } from '../api/epochs.js';
import { type Job, MAXIMUM_CELLS } from '../api/jobs.js';
import { type PrivacyTerms } from '../api/permissions.js';
import { agreementBudgets, epochBudgets } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';

const SHARDS = 16;

/** Counters as a job finds them. */
export interface Reserved {
  readonly agreement: number;
  readonly epoch: number;
  /** Rho of differential privacy under the agreement, in millionths. */
  readonly microRho: number;
}

export const shardOf = (jobId: string): string =>
  String((createHash('sha256').update(jobId).digest()[0] ?? 0) % SHARDS).padStart(2, '0');

/** Coefficients that one shard of an epoch may release: tau, divided. */
export const shardCapacity = (epoch: Epoch): number =>
  Math.floor(2 ** parameterSet(epoch.parameterSet).smudging.tauLog2 / SHARDS);

export async function readReserved(
  ledger: Ledger,
  agreementId: string,
  epochId: string,
  jobId: string,
): Promise<Reserved> {
  const agreement = await ledger.find(agreementBudgets, agreementId);
  const epoch = await ledger.find(epochBudgets, epochId, shardOf(jobId));
  return {
    agreement: agreement?.reserved ?? 0,
    epoch: epoch?.reserved ?? 0,
    microRho: agreement?.microRho ?? 0,
  };
}

/** What all jobs have reserved of an epoch; exhausted when some shard has no room for a job of the largest size. */
export async function epochBudget(
  ledger: Ledger,
  epoch: Epoch,
): Promise<{ capacity: number; reserved: number; exhausted: boolean }> {
  const capacity = shardCapacity(epoch);
  const shards = Array.from({ length: SHARDS }, (_, shard) => String(shard).padStart(2, '0'));
  const found = await ledger.findAll(epochBudgets, [epoch.epochId], shards);
  const reserved = [...found.values()].map((shard) => shard.reserved);
  return {
    capacity: SHARDS * capacity,
    reserved: reserved.reduce((sum, count) => sum + count, 0),
    exhausted: reserved.some((count) => count + MAXIMUM_CELLS > capacity),
  };
}

/** Charges the flooding budget of a job's epoch once more: another committee computes other shares. */
export async function chargeAgain(
  ledger: Ledger,
  { jobId, epochId }: { jobId: string; epochId: string },
  reserved: number,
  coefficients: number,
): Promise<void> {
  await ledger.put(epochBudgets, { reserved: reserved + coefficients }, epochId, shardOf(jobId));
}

/**
 * What the released values of a job cost, in millionths of rho: under zero-concentrated differential privacy the costs
 * of values add up (Bun, Steinke, TCC 2016-B, lemma 1.7). Nothing where none is agreed.
 */
export const microRhoOf = (
  cells: readonly { kind: 'count' | 'value' }[],
  privacy: PrivacyTerms | undefined,
): number => (privacy?.perValue ?? 0) * cells.filter(({ kind }) => kind === 'value').length;

/** Cells that a job may release: what is counted for comparison alone takes of the key, and not of the agreement. */
export const releasedCells = (cells: readonly { comparison?: true | undefined }[]): number =>
  cells.filter(({ comparison }) => !comparison).length;

/** Adds a job's cells, and what its values cost, to the counters; a vector takes nothing of the epoch's. */
export async function reserve(
  ledger: Ledger,
  job: Pick<Job, 'jobId' | 'agreementId' | 'epochId' | 'cells' | 'vector'>,
  before: Reserved,
  microRho: number,
): Promise<void> {
  await ledger.put(
    agreementBudgets,
    {
      reserved: before.agreement + releasedCells(job.cells) + (job.vector?.length ?? 0),
      microRho: before.microRho + microRho,
    },
    job.agreementId,
  );
  await ledger.put(
    epochBudgets,
    { reserved: before.epoch + job.cells.length },
    job.epochId,
    shardOf(job.jobId),
  );
}
