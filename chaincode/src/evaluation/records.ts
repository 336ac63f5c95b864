/**
 * What a plan would need on the ledger later: a job whose shares, verdicts or hashes did not fit a state value would
 * be computed by everybody and then stand still, so it is refused before anything runs.
 */
import { type JobCell } from '../api/jobs.js';
import { MAXIMUM_VALUE_BYTES } from '../ledger/limits.js';

/** Limits of one sealed message, as the requests have them. */
export const MAXIMUM_SEALED_COUNTS = 16_384;
export const MAXIMUM_SEALED_VALUES = 32_768;
/** A share of a regression's vector, at its longest: 8 bytes an entry, its header and what sealing adds. */
export const MAXIMUM_SEALED_VECTOR = 4096;
/** HPKE's encapsulated key (X-Wing) and tag, and JSON around a record. */
const OVERHEAD = 1200;

/** Caller, agreement, schedule, refusal and cancellation in a job's own record. */
const JOB_OVERHEAD = 8192;

/** What a job's records grow with. */
export interface JobSize {
  readonly query: unknown;
  readonly cells: readonly JobCell[];
  readonly datasets: readonly { readonly datasetId: string; readonly owner: string }[];
  /** Of the key epoch. */
  readonly members: readonly string[];
  readonly threshold: number;
}

const base64Length = (bytes: number): number => 4 * Math.ceil(bytes / 3);

/** A bundle of shares as JSON: `"id":"share",` for each cell. */
const bundleBytes = (cells: readonly JobCell[]): number =>
  cells.reduce((sum, { id, primes }) => sum + id.length + 6 + base64Length(8 * primes), 2);

/** What does not fit of a vector, in words; undefined where it does. */
export function oversizedVector(
  vector: { format: { length: number } } | undefined,
  members: number,
): string | undefined {
  if (!vector) return undefined;
  const sealed = 8 * vector.format.length + 2 * OVERHEAD;
  return sealed > MAXIMUM_SEALED_VECTOR || members * base64Length(sealed) + OVERHEAD > MAXIMUM_VALUE_BYTES
    ? 'the shares of its vector'
    : undefined;
}

/** What does not fit, in words; undefined where everything does. */
export function oversizedRecord({ query, cells, datasets, members, threshold }: JobSize): string | undefined {
  const counts = bundleBytes(cells.filter(({ kind }) => kind === 'count'));
  const values = bundleBytes(cells.filter(({ kind }) => kind === 'value'));
  const hashes = cells.reduce((sum, { id }) => sum + id.length + 6 + 64, OVERHEAD);
  const sealed = counts + OVERHEAD;
  if (
    sealed > MAXIMUM_SEALED_COUNTS ||
    (threshold - 1) * base64Length(sealed) + OVERHEAD > MAXIMUM_VALUE_BYTES
  )
    return 'the sealed shares of its counts';
  if (values + OVERHEAD > MAXIMUM_SEALED_VALUES) return 'the sealed shares of its values';
  if (hashes > MAXIMUM_VALUE_BYTES) return 'the hashes of its partials';
  return jobBytes({ query, cells, datasets, members }) > MAXIMUM_VALUE_BYTES ? 'the job itself' : undefined;
}

/** A job's own record in the end: with an outcome for every cell, and whoever took part. */
function jobBytes({ query, cells, datasets, members }: Omit<JobSize, 'threshold'>): number {
  const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);
  const outcome = '"":{"count":1000000000,"status":"SUPPRESSED"},'.length;
  const version = '"":{"merkleRoot":"","version":1000000},"",'.length + 64;
  const holder = '{"index":32,"mspId":""},'.length;
  return (
    JOB_OVERHEAD +
    JSON.stringify(query).length +
    sum(cells.map((cell) => JSON.stringify(cell).length + 1 + cell.id.length + outcome)) +
    sum(datasets.map(({ datasetId, owner }) => 2 * datasetId.length + version + 2 * (owner.length + 3))) +
    // Two committees, and who was silent.
    sum(members.map((member) => 3 * (member.length + holder)))
  );
}
