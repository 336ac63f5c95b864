/** Jobs: a query under an agreement, from submission to release. */
import { analysisQueryShape, schemaShape } from '@strokeshare/fhe';
import { z } from 'zod';
import { batchRoot } from './batches.js';
import {
  MAXIMUM_SEALED_COUNTS,
  MAXIMUM_SEALED_VALUES,
  MAXIMUM_SEALED_VECTOR,
} from '../evaluation/records.js';
import { decision, decisionSteps, refusal } from './decisions.js';
import {
  base64,
  cellId,
  count,
  distinct,
  duoCode,
  identifier,
  instant,
  mspId,
  positive,
  researcherId,
  sha256,
  signature,
  text,
} from './primitives.js';

export const jobStates = [
  'SUBMITTED',
  'EVALUATING',
  'AGGREGATED',
  'COUNTED',
  'RELEASED',
  'SUPPRESSED',
  'REFUSED',
  'FAILED',
  'CANCELLED',
] as const;
export type JobState = (typeof jobStates)[number];

/** For so long (milliseconds) after submission only the first participant aggregates; after that any may. */
export const AGGREGATE_TAKEOVER_MS = 10 * 60 * 1000;

/** How long a job may run (milliseconds): at least, unless it says otherwise, and at most. */
export const LIFETIME_MS = { least: 60_000, usual: 24 * 3_600_000, most: 30 * 24 * 3_600_000 } as const;
/** A holder that has been silent for so long may be replaced, unless the job names another time. */
export const HOLDER_MINUTES = 60;

/** The most cells that a job may have: its records stay within one state value each. */
export const MAXIMUM_CELLS = 200;

export const submitJob = z.strictObject({
  jobId: identifier,
  agreementId: identifier,
  purpose: duoCode,
  query: analysisQueryShape,
  /** After this instant an unfinished job has failed; 24 hours after submission unless named. */
  deadline: instant.optional(),
  /** How many institutions must answer: two at least, where there are two; all unless named. */
  quorum: positive.optional(),
  /**
   * From this instant on, institutions that have not posted are left out, if `quorum` have; with fewer the job has
   * failed. Half way to the deadline unless named. Only beside `quorum`.
   */
  postingDeadline: instant.optional(),
  /** After so many minutes without what its stage needs, a holder may be replaced. */
  holderMinutes: positive.max(24 * 60).optional(),
});
export type SubmitJob = z.infer<typeof submitJob>;

/** A cell of the job's plan, as far as the contract's later steps need it. */
export const jobCell = z.strictObject({
  id: cellId,
  kind: z.enum(['count', 'value']),
  /** Counted for disclosure control alone: the committee opens it among itself, and it has no outcome. */
  comparison: z.literal(true).optional(),
  /** The cell whose count decides about this one; a count cell names itself. */
  countCell: cellId,
  /** Primes at release: shares have 8 bytes for each. */
  primes: positive,
  /** Exact, in decimal. */
  scale: z.strictObject({ numerator: z.string(), denominator: z.string() }),
});
export type JobCell = z.infer<typeof jobCell>;
/** The counts that are in a job for disclosure control alone. */
export const comparisonsOf = (cells: readonly Pick<JobCell, 'id' | 'comparison'>[]): string[] =>
  cells.filter(({ comparison }) => comparison).map(({ id }) => id);

/** The vector of a job's regression: shared out among the holders, never under the collective key. */
export const jobVector = z.strictObject({
  /** Id of the statistic that it is of. */
  statistic: text,
  /** The cell whose count decides about it. */
  countCell: cellId,
  /** What is explained by what, whatever the coefficients. */
  model: z.string(),
  /** Entries; each is charged to the agreement like a cell. */
  length: positive,
});
export type JobVector = z.infer<typeof jobVector>;

/** A holder that releases this job: its MSP ID and its index (Shamir point). */
export const holder = z.strictObject({ mspId, index: positive });
export type Holder = z.infer<typeof holder>;

export const cellStatuses = ['PASSED', 'WITHHELD', 'SUPPRESSED'] as const;
/** What the count gate decided about a cell. WITHHELD: an institution's own count was below its own minimum. */
export const cellOutcome = z.strictObject({
  status: z.enum(cellStatuses),
  /** The exact count, for count cells that passed; a failing count is never written. */
  count: count.optional(),
});
export type CellOutcome = z.infer<typeof cellOutcome>;

/** The version of a dataset that a job rests on, whatever its owner enters later. */
export const pinnedVersion = z.strictObject({ version: positive, merkleRoot: sha256 });
export type PinnedVersion = z.infer<typeof pinnedVersion>;

export const job = z.strictObject({
  jobId: identifier,
  researcherId,
  /** Whose results disclosure control compares with each other: organisation and affiliation at submission. */
  affiliation: z.string(),
  agreementId: identifier,
  /** Of the agreement's version that the job was submitted under, and is decided and released under. */
  agreementVersion: positive,
  agreementDigest: sha256,
  purpose: duoCode,
  query: analysisQueryShape,
  state: z.enum(['SUBMITTED', 'AGGREGATED', 'COUNTED', 'RELEASED', 'SUPPRESSED', 'REFUSED', 'CANCELLED']),
  submittedAt: instant,
  /** After this instant an unfinished job reads as FAILED. */
  deadline: instant,
  /** Until then institutions may post; the deadline itself where all have to answer. */
  postingDeadline: instant,
  quorum: positive,
  holderMinutes: positive,
  /** When the job came into its stored state, or to its present committee. */
  since: instant,
  datasets: z.array(identifier),
  /** By dataset. */
  versions: z.record(identifier, pinnedVersion),
  /** Owners of the datasets, sorted: every one of them is asked for partials. */
  participants: z.array(mspId),
  minimumCohort: positive,
  /** What its values cost under the agreed differential privacy, in millionths of rho. */
  spentMicroRho: count.optional(),
  epochId: identifier,
  parameterSet: z.string(),
  /** Absent when the job was refused before a plan was made. */
  planHash: sha256.optional(),
  cells: z.array(jobCell),
  vector: jobVector.optional(),
  /** The institutions whose partials are in the sums: settled when the first cell is aggregated. */
  included: z.array(mspId).optional(),
  /** Named when the last cell is aggregated, in MSP ID order. */
  committee: z.array(holder).optional(),
  /** How often the committee was replaced. */
  round: count,
  /** Holders that were replaced because they were silent. */
  silent: z.array(mspId),
  /** The committee that opened the counts, once they are closed: values may be another's. */
  counting: z.strictObject({ round: count, committee: z.array(holder) }).optional(),
  /** By cell, once the counts are closed (or all cells withheld). */
  outcomes: z.record(cellId, cellOutcome).optional(),
  refusal: refusal.optional(),
  /** Why the researcher gave it up. */
  cancellation: z.strictObject({ reason: z.string(), at: instant }).optional(),
});
export type Job = z.infer<typeof job>;

/** The job with its effective state. */
export const jobView = job.extend({
  state: z.enum(jobStates),
  /** Institutions whose partials are posted. */
  posted: z.array(mspId),
  /** For a job that failed: who did not deliver what its step needed. */
  missing: z.array(mspId).optional(),
});
export type JobView = z.infer<typeof jobView>;

/** The committee whose verdicts and opened counts the job rests on. */
export const countCommittee = ({ counting, committee }: Pick<Job, 'counting' | 'committee'>): Holder[] =>
  counting?.committee ?? committee ?? [];

/** A job that used a dataset, as it stands now. */
export const datasetUse = z.strictObject({
  jobId: identifier,
  state: z.enum(jobStates),
  version: positive,
  researcherId,
  agreementId: identifier,
  submittedAt: instant,
});
export type DatasetUse = z.infer<typeof datasetUse>;

export const cancelJob = z.strictObject({ jobId: identifier, reason: text });
export type CancelJob = z.infer<typeof cancelJob>;

export const getJob = z.strictObject({ jobId: identifier });

export const postPartials = z.strictObject({
  jobId: identifier,
  /** Cell to the SHA-256 of this institution's encrypted partial. */
  partials: z.record(cellId, sha256),
  /** Cells that this institution withholds, with reason "own count below own minimum". */
  withheld: distinct(cellId, 0, MAXIMUM_CELLS),
});
export type PostPartials = z.infer<typeof postPartials>;
export const partialsRecord = postPartials.omit({ jobId: true }).extend({ at: instant });
export type PartialsRecord = z.infer<typeof partialsRecord>;
export const partialsView = z.strictObject({ partials: z.record(mspId, partialsRecord) });

/**
 * Transient data: `partial/<cell>/<mspId>` is that institution's blob, for every institution and named cell. Where
 * more than 16 take part it is done in two steps: first for every `group` of 16 in their order, then without one, and
 * the transient data is `sum/<cell>/<group>`.
 */
export const aggregate = z.strictObject({
  jobId: identifier,
  cells: distinct(cellId, 0, MAXIMUM_CELLS),
  group: count.optional(),
});
export type Aggregate = z.infer<typeof aggregate>;
export const aggregateRecord = z.strictObject({
  /** SHA-256 of the aggregate's blob. */
  hash: sha256,
  /** N^-1 times the sum of c0, coefficient 0: 8 bytes little endian for each prime, base64. */
  c0: base64(64),
});
export type AggregateRecord = z.infer<typeof aggregateRecord>;
export const aggregateResponse = z.strictObject({
  jobId: identifier,
  state: z.enum(jobStates),
  aggregates: z.record(cellId, aggregateRecord),
  /** Of a group: hash by cell. */
  sums: z.record(cellId, sha256).optional(),
  refusal: refusal.optional(),
});
export const groupSumRecord = z.strictObject({ hash: sha256 });
/** What an agent needs to know of a job to look at it: kept from the job's submission to its end. */
export const openJobRecord = z.strictObject({ jobId: identifier, deadline: instant });
export type OpenJobRecord = z.infer<typeof openJobRecord>;
export const aggregatesView = z.strictObject({ aggregates: z.record(cellId, aggregateRecord) });

/** Body of a sealed message of shares: cell to share bytes in base64. */
export const shareBundle = z.record(cellId, base64(64));
export type ShareBundle = z.infer<typeof shareBundle>;

export const postCountShares = z.strictObject({
  jobId: identifier,
  /** For every other member of the committee: HPKE to its institution's sealing key, base64. */
  sealed: z.record(mspId, base64(MAXIMUM_SEALED_COUNTS)),
});
export type PostCountShares = z.infer<typeof postCountShares>;

export const verdict = z.enum(['pass', 'suppress']);
/** What a verdict's signature covers. */
export const verdictContent = z.strictObject({
  type: z.literal('strokeshare/verdict'),
  version: z.literal(1),
  jobId: identifier,
  planHash: sha256,
  committee: z.array(holder),
  mspId,
  verdicts: z.record(cellId, verdict),
});
export type VerdictContent = z.infer<typeof verdictContent>;

export const postVerdict = z.strictObject({
  jobId: identifier,
  /** For every count cell that no institution withheld. */
  verdicts: z.record(cellId, verdict),
  /** {@link signDetached} over the {@link verdictContent}. */
  signature,
});
export type PostVerdict = z.infer<typeof postVerdict>;

export const openCounts = z.strictObject({
  jobId: identifier,
  /** For every cell that the whole committee passed, and no other: the same bytes that were sealed. */
  shares: shareBundle,
});
export type OpenCounts = z.infer<typeof openCounts>;

export const dealVector = z.strictObject({
  jobId: identifier,
  /** For every member of the key epoch: HPKE to its institution's sealing key, base64; inside, its share. */
  sealed: z.record(mspId, base64(MAXIMUM_SEALED_VECTOR)),
});
export type DealVector = z.infer<typeof dealVector>;
export const dealtRecord = dealVector.omit({ jobId: true }).extend({ at: instant });

export const postValueShares = z.strictObject({
  jobId: identifier,
  /** HPKE to the researcher's sealing key, base64; inside, a {@link shareBundle} of the passing value cells. */
  sealed: base64(MAXIMUM_SEALED_VALUES),
  /** Of a job that releases a vector: HPKE to the researcher; inside, this holder's share of the sum. */
  sealedVector: base64(MAXIMUM_SEALED_VECTOR).optional(),
});
export type PostValueShares = z.infer<typeof postValueShares>;

/** The answer of every step of a job. A refusal by policy is committed and shows here. */
export const jobStep = z.strictObject({
  jobId: identifier,
  state: z.enum(jobStates),
  refusal: refusal.optional(),
});
export type JobStep = z.infer<typeof jobStep>;

export const countSharesRecord = postCountShares.omit({ jobId: true }).extend({ at: instant });
export const verdictRecord = postVerdict.omit({ jobId: true }).extend({ at: instant });
export const openedRecord = openCounts.omit({ jobId: true }).extend({ at: instant });
export const valueSharesRecord = postValueShares.omit({ jobId: true }).extend({ at: instant });

/** Everything that the committee posted, by member; and what the institutions shared out. */
export const sharesView = z.strictObject({
  countShares: z.record(mspId, countSharesRecord),
  verdicts: z.record(mspId, verdictRecord),
  opened: z.record(mspId, openedRecord),
  valueShares: z.record(mspId, valueSharesRecord),
  /** By institution: what it shared out of its vector. */
  dealt: z.record(mspId, dealtRecord),
});
export type SharesView = z.infer<typeof sharesView>;

/** The counts of one job that passed, as later jobs of the same affiliation are compared with them. */
export const releaseRecord = z.strictObject({
  jobId: identifier,
  /** Dataset to the Merkle root of the version that was used. */
  data: z.record(identifier, sha256),
  /** By count cell: the count, and the products of numbers whose sums over the cohort were asked for. */
  counts: z.record(cellId, z.strictObject({ count, numbers: z.array(z.string()) })),
});
export type ReleaseRecord = z.infer<typeof releaseRecord>;

/** What disclosure control judges a job's counts by. */
export const comparedView = z.strictObject({
  /** The versions of the datasets that are in the job. */
  data: z.record(identifier, sha256),
  known: z.array(
    z.strictObject({
      cell: cellId,
      data: z.record(identifier, sha256),
      count,
      numbers: z.array(z.string()),
    }),
  ),
});
export type ComparedView = z.infer<typeof comparedView>;

export const getAccess = z.strictObject({ jobId: identifier, step: z.enum(decisionSteps) });

/** What a step of a job may rest on: the decision now, and everything that fixes the plan. */
export const jobAccess = z.strictObject({
  decision,
  job: jobView,
  epoch: z.strictObject({
    epochId: identifier,
    parameterSet: z.string(),
    parameterSetId: sha256,
    publicKeyHash: sha256,
    relinKeysHash: sha256,
    members: z.array(mspId),
    threshold: positive,
  }),
  /** In the order of the agreement. */
  datasets: z.array(
    z.strictObject({
      datasetId: identifier,
      owner: mspId,
      manifestHash: sha256,
      merkleRoot: sha256,
      batches: z.array(batchRoot),
      schema: schemaShape,
    }),
  ),
  /** Certificate subject of every participant's agent. */
  subjects: z.record(mspId, z.string()),
});
export type JobAccess = z.infer<typeof jobAccess>;
