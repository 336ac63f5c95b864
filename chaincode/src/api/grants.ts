/**
 * Grants: whether somebody may read a blob from a storage node now. A grant is never stored; it follows from a
 * permission, an open job, or the membership of a key epoch.
 */
import { z } from 'zod';
import { columnName, identifier, mspId, sha256 } from './primitives.js';

/**
 * Where a column's blob stands in its dataset. The ledger holds the root of every batch and not the hashes of its
 * columns, so that whoever asks brings the path from the column to the root (`batchColumnPath`).
 */
export const columnPlace = z.strictObject({
  datasetId: identifier,
  batchId: identifier,
  column: columnName,
  /** Siblings from the leaf to the root: `L` or `R` for the side that they stand on, then their hash. */
  path: z.array(z.string().regex(/^[LR][0-9a-f]{64}$/, 'must be L or R and a SHA-256')).max(32),
});
export type ColumnPlace = z.infer<typeof columnPlace>;

/** What somebody claims to be entitled by. With `column` the blob is that column, without it something by hash. */
export const grantClaim = z.discriminatedUnion('kind', [
  /** The requester of a granted permission, or an owner of its datasets: manifests and columns that it covers. */
  z.strictObject({
    kind: z.literal('permission'),
    permissionId: identifier,
    column: columnPlace.optional(),
  }),
  /** Holders, owners and aggregator of a job while it is open: partials and aggregates; for holders columns, too. */
  z.strictObject({ kind: z.literal('job'), jobId: identifier, column: columnPlace.optional() }),
  /** Members of a key epoch: the messages of its ceremony. All institutions: its public keys. */
  z.strictObject({ kind: z.literal('epoch'), epochId: identifier }),
]);
export type GrantClaim = z.infer<typeof grantClaim>;

export const checkGrant = z.strictObject({
  /** Who wants to read: MSP and subject of the certificate that the storage node has verified. */
  mspId,
  subject: z.string().min(1).max(400),
  blob: sha256,
  claim: grantClaim,
});
export type CheckGrant = z.infer<typeof checkGrant>;

/** Why not: for the storage node's own journal, never for the caller. */
export const grantReasons = [
  'NOT_FOUND',
  'NOT_ENTITLED',
  /** The permission, job, epoch or dataset grants nothing in this state. */
  'NOT_LIVE',
  /** The grant does not cover this blob. */
  'NOT_COVERED',
] as const;
export const grantDecision = z.strictObject({
  granted: z.boolean(),
  reason: z.enum(grantReasons).optional(),
});
export type GrantDecision = z.infer<typeof grantDecision>;
