/** Grants: the live answer that storage nodes ask for before they let anybody read a blob. */
import { planVariables } from '@strokeshare/fhe';
import { type Context, Contract, Info } from 'fabric-contract-api';
import { type Dataset } from '../api/datasets.js';
import { type CheckGrant, type ColumnPlace, type GrantClaim, type GrantDecision } from '../api/grants.js';
import { type Job } from '../api/jobs.js';
import { rootOfColumn } from '../api/merkle.js';
import { ceremonyLabels } from '../api/epochs.js';
import { consortium } from '../api/transactions.js';
import {
  epochRecords,
  institutions,
  numberKey,
  jobAggregates,
  jobPartials,
  jobRecords,
  permissionRecords,
  researchers,
  reveals,
} from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { Serves } from '../ledger/serves.js';
import { run, type Transaction } from '../ledger/transaction.js';
import { agreementOn, permissionState } from './agreementState.js';
import { datasetsFor } from './datasetState.js';
import { effectiveState, idsOf } from './jobState.js';

const definitions = consortium.GrantContract;

@Info({ title: 'GrantContract', description: 'Who may read which blob from a storage node now.' })
export class GrantContract extends Contract {
  constructor() {
    super('GrantContract');
  }

  @Serves(definitions.Check)
  Check(context: Context, request: string): Promise<string> {
    return run(context, definitions.Check, request, check);
  }
}

type Reader = Pick<CheckGrant, 'mspId' | 'subject' | 'blob'>;
type Claim<K extends GrantClaim['kind']> = Extract<GrantClaim, { kind: K }>;
type Reason = NonNullable<GrantDecision['reason']>;

const GRANTED: GrantDecision = { granted: true };
const refused = (reason: Reason): GrantDecision => ({ granted: false, reason });
const decided = (covered: boolean): GrantDecision => (covered ? GRANTED : refused('NOT_COVERED'));

async function check({ ledger, now }: Transaction, request: CheckGrant): Promise<GrantDecision> {
  const { claim } = request;
  switch (claim.kind) {
    case 'permission':
      return byPermission(ledger, now, request, claim);
    case 'job':
      return byJob(ledger, now, request, claim);
    case 'epoch':
      return byEpoch(ledger, request, claim);
  }
}

/** The agent of an institution that is a member still. */
async function isEnrolled(ledger: Ledger, { mspId, subject }: Reader): Promise<boolean> {
  const entry = await ledger.find(institutions, mspId);
  return entry?.status === 'ACTIVE' && entry.subject === subject;
}

async function byPermission(
  ledger: Ledger,
  now: number,
  reader: Reader,
  { permissionId, column }: Claim<'permission'>,
): Promise<GrantDecision> {
  const asked = await ledger.find(permissionRecords, permissionId);
  if (!asked) return refused('NOT_FOUND');
  const agreement = await agreementOn(ledger, permissionId, now);
  // An agreement may grant less than was asked.
  const permission = agreement?.version.agreement.content.permission ?? asked;
  const datasets = await datasetsFor(ledger, permission.datasets);
  const requester =
    permission.researcherId === `${reader.mspId}/${reader.subject}` &&
    (await ledger.find(researchers, permission.researcherId))?.status === 'ACTIVE';
  const owns = [...datasets.values()].some(({ owner }) => owner === reader.mspId);
  if (!requester && !(owns && (await isEnrolled(ledger, reader)))) return refused('NOT_ENTITLED');
  const begun = now >= Date.parse(permission.from);
  if (!begun || permissionState(permission, agreement?.state, now) !== 'GRANTED') return refused('NOT_LIVE');
  return decided(coversData(datasets, permission.variables, reader.blob, column));
}

async function byJob(
  ledger: Ledger,
  now: number,
  reader: Reader,
  { jobId, column }: Claim<'job'>,
): Promise<GrantDecision> {
  const job = await ledger.find(jobRecords, jobId);
  if (!job) return refused('NOT_FOUND');
  const isHolder = await holdsKeyOf(ledger, job, reader.mspId);
  if (!(isHolder || job.participants.includes(reader.mspId)) || !(await isEnrolled(ledger, reader)))
    return refused('NOT_ENTITLED');
  if (!['SUBMITTED', 'EVALUATING', 'AGGREGATED', 'COUNTED'].includes(effectiveState(job, 0, now)))
    return refused('NOT_LIVE');
  if (!column && (await isResultOf(ledger, job, reader.blob))) return GRANTED;
  // What a job multiplies is for those who replay it before they release; owners and aggregators need sums alone.
  if (!isHolder) return refused('NOT_COVERED');
  const datasets = await datasetsFor(ledger, job.datasets, job.versions);
  return decided(coversData(datasets, planVariables(job.query), reader.blob, column));
}

/** Before the committee is named, every member of the epoch may be called into it. */
async function holdsKeyOf(ledger: Ledger, job: Job, mspId: string): Promise<boolean> {
  if (job.committee) return job.committee.some((holder) => holder.mspId === mspId);
  const epoch = await ledger.find(epochRecords, job.epochId);
  return epoch?.members.includes(mspId) === true;
}

async function isResultOf(ledger: Ledger, job: Job, blob: string): Promise<boolean> {
  const partials = await ledger.findAll(jobPartials, [job.jobId], job.participants);
  if ([...partials.values()].some((posted) => Object.values(posted.partials).includes(blob))) return true;
  const aggregates = await ledger.findAll(jobAggregates, [job.jobId], idsOf(job.cells));
  return [...aggregates.values()].some(({ hash }) => hash === blob);
}

async function byEpoch(ledger: Ledger, reader: Reader, { epochId }: Claim<'epoch'>): Promise<GrantDecision> {
  const epoch = await ledger.find(epochRecords, epochId);
  if (!epoch) return refused('NOT_FOUND');
  if (!(await isEnrolled(ledger, reader))) return refused('NOT_ENTITLED');
  if (epoch.state === 'ABORTED' || epoch.state === 'RETIRED') return refused('NOT_LIVE');
  // Whoever encrypts needs the public keys, with or without a share of the secret one.
  if (reader.blob === epoch.publicKeyHash || reader.blob === epoch.relinKeysHash) return GRANTED;
  if (!epoch.members.includes(reader.mspId)) return refused('NOT_ENTITLED');
  for (const label of ceremonyLabels) {
    const revealed = await ledger.findAll(reveals, [epochId, numberKey(epoch.attempt), label], epoch.members);
    if ([...revealed.values()].some(({ bytesHash }) => bytesHash === reader.blob)) return GRANTED;
  }
  return refused('NOT_COVERED');
}

/** A manifest of one of the datasets, or a column of one of the variables; nothing of a withdrawn dataset. */
function coversData(
  datasets: ReadonlyMap<string, Dataset>,
  variables: readonly string[],
  blob: string,
  column: ColumnPlace | undefined,
): boolean {
  const live = [...datasets.values()].filter(({ status }) => status === 'ACTIVE');
  if (!column) return live.some(({ manifestHash }) => manifestHash === blob);
  const dataset = live.find(({ datasetId }) => datasetId === column.datasetId);
  const needed = variablesOf(column.column).some((name) => name === ROWS || variables.includes(name));
  return dataset !== undefined && needed && isPartOf(dataset, blob, column);
}

function isPartOf(dataset: Dataset, blob: string, column: ColumnPlace | undefined): boolean {
  if (!column) return dataset.manifestHash === blob;
  const batch = dataset.batches.find(({ batchId }) => batchId === column.batchId);
  return (
    column.datasetId === dataset.datasetId &&
    batch?.merkleRoot === rootOfColumn(column.column, blob, column.path)
  );
}

const ROWS = '_row';

/** Variables that a stored column is made of: `STYPE=LACS`, `RSBP:valid`, or a pair `AGE&RSBP`. */
function variablesOf(column: string): string[] {
  return column.split('&').map((part) => part.split(/[=:]/, 1)[0] ?? part);
}
