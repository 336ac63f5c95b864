import { type Wire } from '../protos/wire.js';
import { RangeSummarizer, kvRead } from './range-query.js';
import { decodeMetadata, ReadWriteSetBuilder } from './read-write-set.js';
import { type KeyedValue, type Snapshot, type StateDb, type StateIterator } from './state-db.js';

/** Name of the metadata entry that holds a key's own endorsement policy. */
export const validationParameter = 'VALIDATION_PARAMETER';

/** Results of a range or history query, one at a time. */
export interface ResultsIterator<T> {
  next(): Promise<T | undefined>;
  /** Key of the next result, for the following page; closes the iterator. */
  bookmarkAndClose(): Promise<string>;
  close(): Promise<void>;
}

/** Key-level policies that the written keys of a namespace have, and whether the chaincode's own policy is needed. */
export interface WrittenPolicies {
  readonly keyPolicies: Uint8Array[];
  chaincodePolicyRequired: boolean;
}

/**
 * Runs one transaction against a snapshot of a peer's state and records what it reads and writes. A transaction never
 * reads its own writes. Error texts are Fabric's.
 */
export class Simulator {
  readonly #set = new ReadWriteSetBuilder();
  readonly #iterators: ResultsIterator<unknown>[] = [];
  readonly #written = new Map<string, Map<string, Uint8Array | undefined>>();
  readonly #snapshot: Snapshot;
  #paginated = false;
  #wrote = false;
  #done = false;

  constructor(
    private readonly state: StateDb,
    snapshot: Snapshot,
    private readonly txId: string,
  ) {
    this.#snapshot = snapshot;
  }

  getState(namespace: string, key: string): Uint8Array | undefined {
    return this.#read(namespace, key)?.value;
  }

  getStateMetadata(namespace: string, key: string): Map<string, Uint8Array> {
    return decodeMetadata(this.#read(namespace, key)?.metadata ?? new Uint8Array(0));
  }

  /** An empty value deletes the key, as on the wire both look the same. */
  setState(namespace: string, key: string, value: Uint8Array): void {
    this.#checkWrite();
    this.#set.addWrite(namespace, key, value.length === 0 ? null : value);
    this.#noteWritten(namespace, key);
  }

  deleteState(namespace: string, key: string): void {
    this.setState(namespace, key, new Uint8Array(0));
  }

  setStateMetadata(namespace: string, key: string, metadata: ReadonlyMap<string, Uint8Array>): void {
    this.#checkWrite();
    this.#set.addMetadataWrite(namespace, key, metadata);
    this.#noteWritten(namespace, key);
  }

  /** @param pageSize 0 for all */
  range(namespace: string, start: string, end: string, pageSize = 0): ResultsIterator<KeyedValue> {
    this.#checkDone();
    const iterator = new RecordingIterator(
      this.state.range(namespace, start, end, this.#snapshot),
      this.#set,
      namespace,
      start,
      end,
      pageSize,
    );
    this.#iterators.push(iterator);
    return iterator;
  }

  page(namespace: string, start: string, end: string, pageSize: number): ResultsIterator<KeyedValue> {
    this.#checkDone();
    if (this.#wrote) {
      throw new Error(
        `txid [${this.txId}]: unsuppored transaction. Paginated queries are supported only in a read-only transaction`,
      );
    }
    this.#paginated = true;
    return this.range(namespace, start, end, pageSize);
  }

  /** The read/write set. The simulator is done with then. */
  async results(): Promise<{ bytes: Wire; policies: Map<string, WrittenPolicies> }> {
    const policies = this.#writtenPolicies();
    const bytes = this.#set.build();
    await this.done();
    return { bytes, policies };
  }

  async done(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await Promise.all(this.#iterators.map((iterator) => iterator.close()));
    await this.#snapshot.close();
  }

  #read(namespace: string, key: string): ReturnType<StateDb['get']> {
    this.#checkDone();
    const found = this.state.get(namespace, key, this.#snapshot);
    this.#set.addRead(namespace, key, found?.version);
    return found;
  }

  #checkDone(): void {
    if (this.#done) throw new Error('this instance should not be used after calling Done()');
  }

  #checkWrite(): void {
    this.#checkDone();
    if (this.#paginated) {
      throw new Error(
        `txid [${this.txId}]: unsuppored transaction. Transaction has already performed a paginated query. ` +
          'Writes are not allowed',
      );
    }
    this.#wrote = true;
  }

  #noteWritten(namespace: string, key: string): void {
    const keys = this.#written.get(namespace) ?? new Map<string, Uint8Array | undefined>();
    this.#written.set(namespace, keys);
    const current = this.state.get(namespace, key, this.#snapshot);
    keys.set(key, current && decodeMetadata(current.metadata).get(validationParameter));
  }

  /** Per namespace of the set, which policies an endorsement must satisfy. Source: core/endorser/endorser.go. */
  #writtenPolicies(): Map<string, WrittenPolicies> {
    const result = new Map<string, WrittenPolicies>();
    for (const namespace of this.#set.namespaces) {
      const written = [...(this.#written.get(namespace)?.values() ?? [])];
      result.set(namespace, {
        keyPolicies: written.filter((policy) => policy !== undefined),
        chaincodePolicyRequired: written.length === 0 || written.includes(undefined),
      });
    }
    return result;
  }
}

/** A range query whose progress goes into the read set, so that phantoms are found at commit. */
class RecordingIterator implements ResultsIterator<KeyedValue> {
  readonly #query: ReturnType<ReadWriteSetBuilder['addRangeQuery']>;
  readonly #summary = new RangeSummarizer();
  #returned = 0;

  constructor(
    private readonly results: StateIterator,
    set: ReadWriteSetBuilder,
    namespace: string,
    start: string,
    private readonly end: string,
    private readonly limit: number,
  ) {
    this.#query = set.addRangeQuery(namespace, start, this.#summary);
  }

  async next(): Promise<KeyedValue | undefined> {
    const found = this.limit > 0 && this.#returned >= this.limit ? undefined : await this.results.next();
    if (found) {
      this.#returned++;
      this.#summary.add(kvRead(found.key, found.version));
      this.#query.end = found.key;
    } else {
      this.#query.exhausted = true;
      this.#query.end = this.end;
    }
    return found;
  }

  async bookmarkAndClose(): Promise<string> {
    const following = await this.results.next();
    await this.close();
    return following?.key ?? '';
  }

  close(): Promise<void> {
    return this.results.close();
  }
}
