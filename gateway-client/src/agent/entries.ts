/** New batches on their way to the private channel: as many in one transaction as it takes. */
import { MAXIMUM_BATCHES_TOGETHER } from '@strokeshare/chaincode';
import {
  reportEntered,
  requestOf,
  type BatchRequest,
  type EncryptedBatch,
  type EnteredBatch,
  type OwnEpoch,
} from './batches.js';
import type { AgentContext } from './context.js';

/** Batches that are entered together: those of them that a crash leaves encrypted are encrypted again. */
const BATCHES_TOGETHER = 16;
/** Transactions that are under way at once: the next batches are encrypted meanwhile. */
const TRANSACTIONS = 2;
/** Bytes of batches in one request: a contract takes 64 KiB, and the provenance comes beside them. */
const REQUEST_BYTES = 48 * 1024;

/**
 * Batches between their encryption and their entry, oldest first. Endorsement, order and commit are paid for each
 * transaction, so that several batches share one.
 */
export class EntryQueue {
  private readonly together: Promise<EncryptedBatch>[] = [];
  private readonly underWay: Promise<EnteredBatch[]>[] = [];
  private readonly entered: EnteredBatch[] = [];
  private failure: { error: unknown } | undefined;

  constructor(
    private readonly context: AgentContext,
    private readonly epoch: OwnEpoch,
  ) {}

  /** Adds a batch that is being encrypted. */
  add(batch: Promise<EncryptedBatch>): void {
    this.together.push(batch);
    if (this.together.length === BATCHES_TOGETHER) this.enter();
  }

  /** Adds batches that are entered already, or by other means; or a step that has to be done before any end. */
  begin(entry: Promise<EnteredBatch[]>): void {
    // Thrown before more is added, or where the batches are asked for.
    entry.catch((error: unknown) => (this.failure ??= { error }));
    this.underWay.push(entry);
  }

  /**
   * Waits until so few transactions are under way that more may be added.
   *
   * @throws what an entry failed with, as soon as it has.
   */
  async room(): Promise<void> {
    if (this.failure) throw this.failure.error;
    while (this.underWay.length > TRANSACTIONS) this.entered.push(...((await this.underWay.shift()) ?? []));
  }

  /** Enters what is left, and waits for the end of everything, whatever it is. */
  async settled(): Promise<void> {
    this.enter();
    await Promise.allSettled(this.underWay);
  }

  /**
   * All batches, when everything has ended.
   *
   * @throws what the first entry failed with.
   */
  async all(): Promise<EnteredBatch[]> {
    return [...this.entered, ...(await Promise.all(this.underWay)).flat()];
  }

  private enter(): void {
    const together = this.together.splice(0);
    if (together.length > 0) this.begin(this.enterEncrypted(together));
  }

  /** Enters batches when they are encrypted, and those that were where others could not be. */
  private async enterEncrypted(encrypting: readonly Promise<EncryptedBatch>[]): Promise<EnteredBatch[]> {
    const ends = await Promise.allSettled(encrypting);
    const entered = await enterTogether(
      this.context,
      this.epoch,
      ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])),
    );
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure) throw failure.reason;
    return entered;
  }
}

/** Enters new batches of one dataset and source. */
async function enterTogether(
  context: AgentContext,
  epoch: OwnEpoch,
  encrypted: readonly EncryptedBatch[],
): Promise<EnteredBatch[]> {
  const [first] = encrypted;
  if (!first) return [];
  const { datasetId, provenance } = first;
  const requests = await Promise.all(encrypted.map((batch) => requestOf(context, epoch, batch)));
  for (const batches of parcels(requests)) {
    await context.records.records.submitBatches(
      { datasetId, epochId: epoch.epoch.epochId, provenance, batches },
      { endorsingOrganizations: [context.mspId], signal: context.signal },
    );
    for (const batch of batches) reportEntered(context, datasetId, batch);
  }
  return requests;
}

/** Requests that go together: no transaction has more batches or bytes than the contract takes. */
function* parcels(requests: readonly BatchRequest[]): Generator<BatchRequest[]> {
  let parcel: BatchRequest[] = [];
  let bytes = 0;
  for (const request of requests) {
    const size = Buffer.byteLength(JSON.stringify(request));
    if (parcel.length === MAXIMUM_BATCHES_TOGETHER || (parcel.length > 0 && bytes + size > REQUEST_BYTES)) {
      yield parcel;
      [parcel, bytes] = [[], 0];
    }
    parcel.push(request);
    bytes += size;
  }
  if (parcel.length > 0) yield parcel;
}
