/** Evaluation on an institution's private channel. */
import { z } from 'zod';
import { cellId, count, distinct, identifier, instant, positive, sha256 } from './primitives.js';

/**
 * Transient data: `column/<datasetId>/<batchId>/<column>` for every column that the cells multiply and every batch
 * that is named; `relinKeys` once per process and epoch; `running/<cell>` unless the batches are the first.
 */
export const evaluate = z.strictObject({
  jobId: identifier,
  cells: distinct(cellId, 1, 200),
  /** Batches from this one on, counted from 0 in the order of the job's datasets and their batches; 0 unless given. */
  from: count.optional(),
  /** And before this one; all unless given. */
  until: positive.optional(),
});
export type Evaluate = z.infer<typeof evaluate>;
export const evaluateResponse = z.strictObject({
  jobId: identifier,
  /** Cell to the SHA-256 of the encrypted partial. */
  partials: z.record(cellId, sha256),
  /** Where batches are left: cell to the SHA-256 of the running sum, which the next call carries on. */
  running: z.record(cellId, sha256).optional(),
});
export type EvaluateResponse = z.infer<typeof evaluateResponse>;
export const evaluationRecord = z.strictObject({ hash: sha256, planHash: sha256, at: instant });

export const buildInfo = z.strictObject({
  contracts: z.enum(['consortium', 'records']),
  version: z.string(),
  /** SHA-256 over the built files of the contracts and of the arithmetic that they call. */
  codeDigest: sha256,
  nodeSeal: z.string(),
  node: z.string(),
  /** Name to id (hash of all parameters and vectors). */
  parameterSets: z.record(z.string(), sha256),
});
export type BuildInfo = z.infer<typeof buildInfo>;
