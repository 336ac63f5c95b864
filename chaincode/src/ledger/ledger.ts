/** Typed access to a channel's state: canonical JSON under composite keys, one size limit for all values. */
import { KeyEndorsementPolicy } from 'fabric-shim';
import { type ChaincodeStub } from 'fabric-shim-api';
import { canonicalJson } from '@strokeshare/fhe';
import { ContractError } from '../errors.js';
import { MAXIMUM_VALUE_BYTES } from './limits.js';
import { type RecordKind } from './kinds.js';
import { readStates, type Write, writeStates } from './messages.js';

const PAGE = 100;
/** A range costs two messages to the peer, a key one. */
const FEWEST_IN_RANGE = 3;
const NOTHING = new Uint8Array(0);

/** @throws ContractError VALUE_TOO_LARGE */
export function assertSize(bytes: number, what: string): void {
  if (bytes > MAXIMUM_VALUE_BYTES)
    throw new ContractError(
      'VALUE_TOO_LARGE',
      `The ${what} has ${bytes} bytes; at most ${MAXIMUM_VALUE_BYTES} are allowed.`,
    );
}

/** Which records of a range: those whose last part of the key is after one text and before another. */
export interface Page {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly limit?: number | undefined;
}

export class Ledger {
  /** What this transaction has read, by key: it is the same however often it is asked for. */
  readonly #read = new Map<string, unknown>();
  /** The same as it came from the peer, until it is asked for. */
  readonly #fetched = new Map<string, Uint8Array>();
  /** What this transaction writes: no transaction reads its own writes, so they go to the peer together at its end. */
  readonly #writes: Write[] = [];

  constructor(private readonly stub: ChaincodeStub) {}

  /** Reads records that will be asked for, in one question to the peer where it takes such questions. */
  async fetch<T>(kind: RecordKind<T>, all: Iterable<readonly string[]>): Promise<void> {
    const keys = Array.from(all, (ids) => this.key(kind, ids)).filter((key) => !this.#knows(key));
    const values = await readStates(this.stub, [...new Set(keys)]);
    for (const [i, key] of [...new Set(keys)].entries()) this.#fetched.set(key, values[i] ?? NOTHING);
  }

  /** The record, or undefined. A transaction never reads its own writes. */
  async find<T>(kind: RecordKind<T>, ...ids: string[]): Promise<T | undefined> {
    const key = this.key(kind, ids);
    if (this.#read.has(key)) return this.#read.get(key) as T | undefined;
    return this.#keep(kind, key, await this.#bytes(key));
  }

  /** @throws ContractError NOT_FOUND */
  async get<T>(kind: RecordKind<T>, ...ids: string[]): Promise<T> {
    const record = await this.find(kind, ...ids);
    if (record === undefined)
      throw new ContractError('NOT_FOUND', `There is no ${kind.word} "${ids.join(' / ')}".`);
    return record;
  }

  async has<T>(kind: RecordKind<T>, ...ids: string[]): Promise<boolean> {
    const key = this.key(kind, ids);
    if (this.#read.has(key)) return this.#read.get(key) !== undefined;
    return (await this.#bytes(key)).length > 0;
  }

  /** The records of one kind below a common beginning of their keys, one for each last part that has one. */
  async findEach<T>(kind: RecordKind<T>, ids: string[], last: readonly string[]): Promise<Map<string, T>> {
    const found = new Map<string, T>();
    await this.fetch(
      kind,
      last.map((id) => [...ids, id]),
    );
    for (const id of last) {
      const record = await this.find(kind, ...ids, id);
      if (record !== undefined) found.set(id, record);
    }
    return found;
  }

  /**
   * As {@link findEach}, in one question to the peer instead of one for each key. For keys below which nobody writes but
   * those who are named: such a range conflicts with nothing that the single keys would not conflict with.
   */
  async findAll<T>(kind: RecordKind<T>, ids: string[], last: readonly string[]): Promise<Map<string, T>> {
    const named = new Set(last.map((id) => this.key(kind, [...ids, id])).filter((key) => !this.#knows(key)));
    if (named.size < FEWEST_IN_RANGE || last.length > PAGE) return this.findEach(kind, ids, last);
    let seen = 0;
    for await (const { key, value } of this.stub.getStateByPartialCompositeKey(kind.type, ids)) {
      if (named.delete(key)) this.#keep(kind, key, value);
      seen += 1;
      if (seen === PAGE) break;
    }
    // What a whole range does not have is not there.
    if (seen < PAGE) for (const key of named) this.#read.set(key, undefined);
    return this.findEach(kind, ids, last);
  }

  async put<T>(kind: RecordKind<T>, record: T, ...ids: string[]): Promise<void> {
    const bytes = Buffer.from(canonicalJson(record));
    assertSize(bytes.length, kind.word);
    this.#writes.push({ key: this.key(kind, ids), value: bytes });
  }

  /**
   * From now on this key alone is endorsed by one organisation's peer instead of as the channel's policy says (Fabric's
   * state-based endorsement); what writes any other key beside it needs the channel's policy still.
   */
  async endorseByOwner<T>(kind: RecordKind<T>, owner: string, ...ids: string[]): Promise<void> {
    const policy = new KeyEndorsementPolicy();
    policy.addOrgs('PEER', owner);
    this.#writes.push({ key: this.key(kind, ids), policy: policy.getPolicy() });
  }

  async remove<T>(kind: RecordKind<T>, ...ids: string[]): Promise<void> {
    this.#writes.push({ key: this.key(kind, ids), deleted: true });
  }

  /** Hands everything that was written to the peer, in its order. */
  flush(): Promise<void> {
    return writeStates(this.stub, this.#writes.splice(0));
  }

  /** @throws ContractError ALREADY_EXISTS */
  async create<T>(kind: RecordKind<T>, record: T, ...ids: string[]): Promise<void> {
    if (await this.has(kind, ...ids))
      throw new ContractError(
        'ALREADY_EXISTS',
        `There is already ${articleOf(kind.word)} ${kind.word} "${ids.join(' / ')}".`,
      );
    await this.put(kind, record, ...ids);
  }

  /**
   * As {@link create}, but the same content once more (whenever that was) is no change: a retry finds its own words.
   * @throws ContractError ALREADY_EXISTS where the record says something else
   */
  async createOnce<T extends { at: string }>(
    kind: RecordKind<T>,
    record: T,
    ...ids: string[]
  ): Promise<void> {
    const before = await this.find(kind, ...ids);
    if (before && canonicalJson({ ...before, at: '' }) === canonicalJson({ ...record, at: '' })) return;
    await this.create(kind, record, ...ids);
  }

  /**
   * One page of a kind's records in key order, at a cost that grows with the page alone; for evaluated transactions
   * only, since a range in an update transaction conflicts with everything written into it. A bookmark is the key that
   * the peer begins with, whichever database it has (core/chaincode/handler.go, HandleGetStateByRange).
   */
  async page<T>(
    kind: RecordKind<T>,
    ids: string[],
    { after, before, limit = PAGE }: Page,
  ): Promise<{ items: T[]; next?: string }> {
    const items: T[] = [];
    let last: string | undefined;
    // Only whole parts make a key; beginning earlier than named is safe.
    const parts = after?.split('\0') ?? [];
    const begin = parts.slice(0, parts.includes('') ? parts.indexOf('') : parts.length);
    const bookmark = begin.length === 0 ? '' : this.key(kind, [...ids, ...begin]);
    // One more tells whether there is a next page, and the first may be the one that the page begins behind.
    for await (const { key, value } of this.stub.getStateByPartialCompositeKeyWithPagination(
      kind.type,
      ids,
      limit + 2,
      bookmark,
    )) {
      // Keys are in the order of their bytes; a zero separates their parts.
      const name = this.stub.splitCompositeKey(key).attributes.slice(ids.length).join('\0');
      if (after !== undefined && Buffer.compare(Buffer.from(name), Buffer.from(after)) <= 0) continue;
      if (before !== undefined && Buffer.compare(Buffer.from(name), Buffer.from(before)) >= 0) break;
      if (items.length === limit) return { items, ...(last !== undefined && { next: last }) };
      items.push(parse(kind, value));
      last = name;
    }
    return { items };
  }

  /**
   * The first records below a common beginning of their keys, for update transactions: few, and an insertion among
   * them conflicts, as it should where the transaction rests on all of them.
   * @param known last parts of keys whose records the caller has already: they count, and are not given again
   */
  async range<T>(
    kind: RecordKind<T>,
    ids: string[],
    limit: number,
    known: ReadonlySet<string> = new Set(),
  ): Promise<{ items: T[]; seen: number }> {
    if (limit > PAGE) throw new RangeError(`an update reads at most ${PAGE} records of a range`);
    const items: T[] = [];
    let seen = 0;
    for await (const { key, value } of this.stub.getStateByPartialCompositeKey(kind.type, ids)) {
      const last = known.size > 0 ? this.stub.splitCompositeKey(key).attributes.at(-1) : undefined;
      if (last === undefined || !known.has(last)) items.push(parse(kind, value));
      seen += 1;
      if (seen === limit) break;
    }
    return { items, seen };
  }

  #knows(key: string): boolean {
    return this.#read.has(key) || this.#fetched.has(key);
  }

  async #bytes(key: string): Promise<Uint8Array> {
    return this.#fetched.get(key) ?? this.stub.getState(key);
  }

  #keep<T>(kind: RecordKind<T>, key: string, bytes: Uint8Array): T | undefined {
    const record = bytes.length === 0 ? undefined : parse(kind, bytes);
    this.#read.set(key, record);
    return record;
  }

  private key<T>(kind: RecordKind<T>, ids: readonly string[]): string {
    return this.stub.createCompositeKey(kind.type, [...ids]);
  }
}

const articleOf = (word: string): string => (/^[aeiou]/.test(word) ? 'an' : 'a');

function parse<T>(kind: RecordKind<T>, bytes: Uint8Array): T {
  const result = kind.shape.safeParse(JSON.parse(Buffer.from(bytes).toString()));
  if (!result.success)
    throw new ContractError('INTERNAL', `A ${kind.word} on the ledger does not have its shape.`, {
      cause: result.error,
    });
  return result.data;
}
