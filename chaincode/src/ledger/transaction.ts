/** One transaction: authorisation before anything else, then the request's shape, then the action, then one event. */
import { type Context } from 'fabric-contract-api';
import { type z } from 'zod';
import { canonicalJson } from '@strokeshare/fhe';
import { type AuditEntry } from '../api/audit.js';
import { type Institution } from '../api/institutions.js';
import { type LedgerEvent } from '../api/primitives.js';
import { type Researcher } from '../api/researchers.js';
import { type TransactionDefinition } from '../api/transactions.js';
import { type AuditDraft, writeEntry } from '../audit/trail.js';
import { ContractError } from '../errors.js';
import { type Caller, callerOf, researcherIdOf } from './caller.js';
import { institutions, researchers } from './kinds.js';
import { assertSize, Ledger } from './ledger.js';

/** What an action works with. */
export class Transaction {
  readonly ledger: Ledger;
  /** The transaction's timestamp in milliseconds: contracts have no other clock. */
  readonly now: number;
  #event: LedgerEvent | undefined;
  #audit: AuditDraft | undefined;

  constructor(
    readonly context: Context,
    readonly caller: Caller,
  ) {
    this.ledger = new Ledger(context.stub);
    const { seconds, nanos } = context.stub.getTxTimestamp();
    this.now = Number(seconds) * 1000 + Math.floor(nanos / 1_000_000);
  }

  /** The timestamp as the records hold it. */
  get at(): string {
    return new Date(this.now).toISOString();
  }

  get transient(): ReadonlyMap<string, Uint8Array> {
    return this.context.stub.getTransient();
  }

  /** Sets the transaction's one event: an id and the state that it is in now. */
  emit(id: string, state?: string): void {
    this.#event = { id, ...(state !== undefined && { state }) };
  }

  get event(): LedgerEvent | undefined {
    return this.#event;
  }

  /** Adds to what the audit trail will say of this transaction: one entry, with the caller and the time. */
  record(draft: AuditDraft | Partial<AuditDraft>): void {
    this.#audit = { kind: 'CHANGE', datasets: [], institutions: [], ...this.#audit, ...draft };
  }

  /** The entry, once the transaction has done all. */
  entryOf(definition: TransactionDefinition): AuditEntry | undefined {
    const { mspId, subject } = this.caller;
    return (
      this.#audit && {
        ...this.#audit,
        entryId: this.context.stub.getTxID(),
        at: this.at,
        transaction: definition.name,
        by: { mspId, subject },
      }
    );
  }

  /**
   * The caller's institution.
   * @throws ContractError NOT_ENROLLED unless the caller is the agent that enrolled it.
   */
  async institution(): Promise<Institution> {
    const entry = await this.ledger.find(institutions, this.caller.mspId);
    if (entry?.status !== 'ACTIVE' || entry.subject !== this.caller.subject)
      throw new ContractError(
        'NOT_ENROLLED',
        `${this.caller.mspId} is not enrolled by the identity "${this.caller.subject}".`,
      );
    return entry;
  }

  /** @throws ContractError NOT_REGISTERED */
  async researcher(): Promise<Researcher> {
    const id = researcherIdOf(this.caller);
    const entry = await this.ledger.find(researchers, id);
    if (entry?.status !== 'ACTIVE')
      throw new ContractError('NOT_REGISTERED', `"${id}" is not registered as a researcher.`);
    return entry;
  }
}

/** Runs one transaction as its definition says. */
export async function run<Q extends z.ZodType, R extends z.ZodType>(
  context: Context,
  definition: TransactionDefinition<Q, R>,
  text: string,
  action: (transaction: Transaction, request: z.output<Q>) => Promise<z.input<R>>,
): Promise<string> {
  try {
    const transaction = new Transaction(context, callerOf(context.clientIdentity, definition.roles));
    if (definition.registration === 'institution') await transaction.institution();
    if (definition.registration === 'researcher') await transaction.researcher();
    const response = canonicalJson(await action(transaction, parseRequest(definition, text)));
    if (definition.commits) assertSize(Buffer.byteLength(response), 'response');
    const entry = definition.commits ? transaction.entryOf(definition) : undefined;
    if (entry) await writeEntry(transaction.ledger, entry);
    await transaction.ledger.flush();
    if (transaction.event)
      context.stub.setEvent(definition.name, Buffer.from(canonicalJson(transaction.event)));
    return response;
  } catch (error) {
    if (error instanceof ContractError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ContractError('INTERNAL', `${definition.name} failed: ${reason}`, { cause: error });
  }
}

function parseRequest<Q extends z.ZodType>(definition: TransactionDefinition<Q>, text: string): z.output<Q> {
  assertSize(Buffer.byteLength(text), 'request');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ContractError('BAD_REQUEST', `The request of ${definition.name} is not JSON.`, { cause });
  }
  const result = definition.request.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    const place = issue?.path.join('.') || 'the request';
    throw new ContractError('BAD_REQUEST', `${definition.name}: ${place}: ${issue?.message ?? 'invalid'}.`, {
      cause: result.error,
    });
  }
  return result.data;
}
