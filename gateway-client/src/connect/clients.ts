import {
  consortium,
  privateRecords,
  type RequestOf,
  type ResponseOf,
  type TransactionDefinition,
} from '@strokeshare/chaincode';
import { ClientError } from '../errors.js';
import type { CallControl, Committed, Ledger } from './ledger.js';

/** Options of one typed call. */
export interface TypedCallOptions extends CallControl {
  /** Bytes that contracts see and no block holds. */
  transient?: Record<string, Uint8Array>;
  /** Organisations whose peers endorse. */
  endorsingOrganizations?: string[];
  /** Told where a submitted transaction was committed. */
  onCommit?: (committed: Pick<Committed, 'transactionId' | 'blockNumber'>) => void;
}

type Definitions = Readonly<Record<string, TransactionDefinition>>;

/** One method per transaction: checked request in, checked answer out. */
export type TypedContract<T extends Definitions> = {
  readonly [K in keyof T & string as Uncapitalize<K>]: (
    request: RequestOf<T[K]>,
    options?: TypedCallOptions,
  ) => Promise<ResponseOf<T[K]>>;
};

/** Where a contract lives. */
interface Place {
  ledger: Ledger;
  channel: string;
  chaincode: string;
}

/** The consortium channel and chaincode have one name everywhere; networks that rename them say so here. */
export interface ConsortiumNames {
  channel?: string;
  chaincode?: string;
}

const CONSORTIUM = 'consortium';
const RECORDS = 'records';

/** What an institution does on the consortium channel. */
export function institutionClient(ledger: Ledger, names: ConsortiumNames = {}) {
  const at = placeOf(ledger, names);
  return {
    mspId: ledger.mspId,
    institutions: bind(at, consortium.InstitutionContract),
    researchers: bind(at, pick(consortium.ResearcherContract, 'Get', 'List')),
    epochs: bind(at, consortium.KeyEpochContract),
    datasets: bind(at, consortium.DatasetContract),
    permissions: bind(at, pick(consortium.PermissionContract, 'Get', 'List')),
    agreements: bind(at, consortium.AgreementContract),
    jobs: bind(
      at,
      pick(
        consortium.JobContract,
        ...([
          'Stop',
          'ReplaceCommittee',
          'PostPartials',
          'Aggregate',
          'PostCountShares',
          'PostVerdict',
          'OpenCounts',
          'CloseCounts',
        ] as const),
        ...([
          'DealVector',
          'PostValueShares',
          'CloseRelease',
          'Get',
          'List',
          'ListOpen',
          'Partials',
          'Aggregates',
          'Shares',
          'Access',
          'Compared',
        ] as const),
      ),
    ),
    grants: bind(at, consortium.GrantContract),
    endorsement: bind(at, consortium.EndorsementContract),
    buildInfo: bind(at, consortium.BuildInfoContract),
  };
}
export type InstitutionClient = ReturnType<typeof institutionClient>;

/** What an institution does on its own private channel. */
export function recordsClient(ledger: Ledger, channel: string) {
  const at = { ledger, channel, chaincode: RECORDS };
  return {
    channel,
    /**
     * The block that holds a transaction which left an event.
     *
     * @throws ClientError `NO_PROGRESS` when it is not found in time.
     */
    blockOf: (transactionId: string, signal: AbortSignal) => blockOf(at, transactionId, signal),
    records: bind(at, privateRecords.RecordsContract),
    endorsement: bind(at, privateRecords.EndorsementContract),
    buildInfo: bind(at, privateRecords.BuildInfoContract),
  };
}
export type RecordsClient = ReturnType<typeof recordsClient>;

/** What a researcher does. */
export function researcherClient(ledger: Ledger, names: ConsortiumNames = {}) {
  const at = placeOf(ledger, names);
  return {
    mspId: ledger.mspId,
    institutions: bind(at, pick(consortium.InstitutionContract, 'Get', 'List')),
    researchers: bind(at, pick(consortium.ResearcherContract, 'Register', 'RotateKey', 'Get', 'List')),
    epochs: bind(at, pick(consortium.KeyEpochContract, 'Get', 'List')),
    datasets: bind(at, pick(consortium.DatasetContract, 'Get', 'List', 'GetVersion')),
    permissions: bind(at, consortium.PermissionContract),
    audit: bind(at, consortium.AuditContract),
    agreements: bind(at, pick(consortium.AgreementContract, 'Get', 'Version', 'List')),
    jobs: bind(
      at,
      pick(
        consortium.JobContract,
        'Submit',
        'Cancel',
        'Get',
        'List',
        'Partials',
        'Aggregates',
        'Shares',
        'Access',
      ),
    ),
  };
}
export type ResearcherClient = ReturnType<typeof researcherClient>;

/** What an operator does: looks, compares what runs where, and answers for its organisation's researchers. */
export function operatorClient(ledger: Ledger, names: ConsortiumNames = {}) {
  const at = placeOf(ledger, names);
  return {
    mspId: ledger.mspId,
    institutions: bind(at, pick(consortium.InstitutionContract, 'Get', 'List')),
    researchers: bind(
      at,
      pick(consortium.ResearcherContract, 'Suspend', 'Restore', 'Affiliate', 'Get', 'List'),
    ),
    epochs: bind(at, pick(consortium.KeyEpochContract, 'Get', 'List')),
    datasets: bind(at, pick(consortium.DatasetContract, 'Get', 'List')),
    jobs: bind(at, pick(consortium.JobContract, 'Get', 'List')),
    buildInfo: bind(at, consortium.BuildInfoContract),
  };
}
export type OperatorClient = ReturnType<typeof operatorClient>;

/** What anybody of the consortium may look up: the audit trail, and what it refers to. */
export function auditorClient(ledger: Ledger, names: ConsortiumNames = {}) {
  const at = placeOf(ledger, names);
  return {
    mspId: ledger.mspId,
    audit: bind(at, consortium.AuditContract),
    institutions: bind(at, pick(consortium.InstitutionContract, 'Seats', 'Motion', 'Motions', 'Get', 'List')),
    researchers: bind(at, pick(consortium.ResearcherContract, 'Get', 'List')),
    epochs: bind(at, pick(consortium.KeyEpochContract, 'Get', 'List')),
    datasets: bind(
      at,
      pick(consortium.DatasetContract, 'Get', 'List', 'GetVersion', 'ListVersions', 'ListUses'),
    ),
    permissions: bind(at, pick(consortium.PermissionContract, 'Get', 'List')),
    agreements: bind(at, pick(consortium.AgreementContract, 'Get', 'Version', 'List')),
    jobs: bind(at, pick(consortium.JobContract, 'Get', 'List')),
  };
}
export type AuditorClient = ReturnType<typeof auditorClient>;

function placeOf(ledger: Ledger, { channel = CONSORTIUM, chaincode = CONSORTIUM }: ConsortiumNames): Place {
  return { ledger, channel, chaincode };
}

function pick<T extends Definitions, const K extends keyof T & string>(
  definitions: T,
  ...names: K[]
): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, definitions[name]])) as Pick<T, K>;
}

/** Makes the methods from the contracts' own table, so that a client cannot differ from its contract. */
function bind<T extends Definitions>(place: Place, definitions: T): TypedContract<T> {
  const methods = Object.entries(definitions).map(([name, definition]) => [
    name.charAt(0).toLowerCase() + name.slice(1),
    (request: unknown, options: TypedCallOptions = {}) => call(place, definition, request, options),
  ]);
  return Object.fromEntries(methods) as TypedContract<T>;
}

async function call(
  { ledger, channel, chaincode }: Place,
  definition: TransactionDefinition,
  request: unknown,
  options: TypedCallOptions,
): Promise<unknown> {
  const checked = definition.request.safeParse(request);
  if (!checked.success) {
    throw new ClientError(
      'REQUEST_INVALID',
      `${definition.name} cannot be asked this: ${describe(checked.error.issues[0])}.`,
      { cause: checked.error },
    );
  }
  const { transient, endorsingOrganizations, onCommit, ...control } = options;
  const ledgerCall = {
    channel,
    chaincode,
    contract: definition.contract,
    transaction: definition.transaction,
    argument: JSON.stringify(checked.data),
    ...(transient && { transient }),
    ...(endorsingOrganizations && { endorsingOrganizations }),
  };
  if (!definition.commits) return parseAnswer(definition, await ledger.evaluate(ledgerCall, control));
  const committed = await ledger.submit(ledgerCall, control);
  onCommit?.(committed);
  return parseAnswer(definition, committed.result);
}

/** For so long the block of a transaction is looked for. */
const LOOKUP_MS = 60_000;

async function blockOf(
  { ledger, channel, chaincode }: Place,
  transactionId: string,
  signal: AbortSignal,
): Promise<bigint> {
  const ending = new AbortController();
  const limited = AbortSignal.any([signal, ending.signal, AbortSignal.timeout(LOOKUP_MS)]);
  try {
    for await (const event of ledger.events(channel, chaincode)(limited))
      if (event.transactionId === transactionId) return event.blockNumber;
  } finally {
    ending.abort();
  }
  throw new ClientError('NO_PROGRESS', `The transaction ${transactionId} was not found on ${channel}.`);
}

function parseAnswer(definition: TransactionDefinition, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ClientError('ANSWER_INVALID', `${definition.name} did not answer with JSON.`, { cause });
  }
  const answer = definition.response.safeParse(value);
  if (answer.success) return answer.data;
  throw new ClientError(
    'ANSWER_INVALID',
    `${definition.name} answered otherwise than agreed: ${describe(answer.error.issues[0])}.`,
    { cause: answer.error },
  );
}

function describe(issue: { path: PropertyKey[]; message: string } | undefined): string {
  return `${issue?.path.map(String).join('.') || 'the whole'}: ${issue?.message ?? 'not valid'}`;
}
