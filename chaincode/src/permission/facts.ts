/** Reads what a decision about a job rests on. */
import { type AnalysisQuery, planVariables } from '@strokeshare/fhe';
import { type Dataset } from '../api/datasets.js';
import { type DecisionStep } from '../api/decisions.js';
import { type Epoch } from '../api/epochs.js';
import { type Job, type PinnedVersion } from '../api/jobs.js';
import { type Agreement } from '../api/permissions.js';
import { readAgreement, versionKey } from '../consortium/agreementState.js';
import { datasetsFor } from '../consortium/datasetState.js';
import { epochState } from '../consortium/epochUse.js';
import { requireConfirmed } from '../endorsement/sharing.js';
import { ownersOf } from '../evaluation/plan.js';
import {
  agreementVersions,
  datasetRecords,
  epochRecords,
  institutions,
  numberKey,
  researchers,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { decide, type Facts } from './decide.js';
import { type Decision } from '../api/decisions.js';

/** The records around a job, whatever is decided about it. */
export interface Surroundings {
  /** The version in force, or the first. */
  readonly agreement: Agreement;
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly epoch: Epoch | undefined;
  readonly facts: Omit<Facts, 'step' | 'plan' | 'disclosure' | 'budget'>;
}

export async function readSurroundings(
  ledger: Ledger,
  now: number,
  asked: {
    researcherId: string;
    agreementId: string;
    /** Of the version that a job was submitted under. */
    agreementDigest?: string;
    purpose: string;
    query: AnalysisQuery;
    /** What a submitted job rests on; a new one takes the current versions. */
    versions?: Readonly<Record<string, PinnedVersion>>;
  },
): Promise<Surroundings> {
  const { version, state } = await readAgreement(ledger, asked.agreementId, now);
  const { agreement } = version;
  await requireConfirmed(ledger, agreementVersions, asked.agreementId, versionKey(agreement.content.version));
  for (const id of agreement.content.permission.datasets) await requireConfirmed(ledger, datasetRecords, id);
  const datasets = await datasetsFor(ledger, agreement.content.permission.datasets, asked.versions);
  for (const [id, { version }] of datasets)
    if (version > 1) await requireConfirmed(ledger, datasetRecords, id, numberKey(version));
  const [first] = datasets.values();
  const stored = first && (await ledger.find(epochRecords, first.epochId));
  const epoch = stored && { ...stored, state: epochState(stored, now) };
  const owners = await ledger.findEach(institutions, [], ownersOf([...datasets.values()]));
  const members = [...owners].filter(([, { status }]) => status === 'ACTIVE').map(([owner]) => owner);
  const facts = {
    now,
    researcher: await ledger.find(researchers, asked.researcherId),
    agreement: { content: agreement.content, digest: agreement.digest, state },
    agreedDigest: asked.agreementDigest,
    purpose: asked.purpose,
    variables: planVariables(asked.query),
    statistics: [...new Set(asked.query.statistics.map(({ kind }) => kind))],
    datasets,
    members: new Set(members),
    epoch,
  };
  return { agreement, datasets, epoch, facts };
}

/** What a step takes of the key epoch's flooding budget, beyond what the job has reserved. */
export interface StepBudget {
  readonly needed: number;
  readonly epochLeft: number;
}
const NOTHING: StepBudget = { needed: 0, epochLeft: 0 };

/** Decides about a later step of a job: its plan fits and its budget is reserved since it was submitted. */
export async function decideStep(
  ledger: Ledger,
  now: number,
  job: Job,
  step: DecisionStep,
  budget = NOTHING,
): Promise<Surroundings & { decision: Decision }> {
  const surroundings = await readSurroundings(ledger, now, job);
  const decision = decide({
    ...surroundings.facts,
    step,
    plan: () => undefined,
    disclosure: () => undefined,
    // What the agreement allows is released once, and its privacy spent once, whatever it takes of the key.
    budget: () => ({
      needed: 0,
      agreementLeft: 0,
      shared: budget.needed,
      epochLeft: budget.epochLeft,
      neededMicroRho: 0,
      microRhoLeft: 0,
    }),
  });
  return { ...surroundings, decision };
}
