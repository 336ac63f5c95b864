import { ledger } from '@hyperledger/fabric-protos';
import { sortedByUtf8 } from '../protos/bytes.js';
import { bytesField, delimitedField, numberField, type Wire, wire } from '../protos/wire.js';
import { kvRead, type RangeSummarizer } from './range-query.js';
import { type Version } from './state-db.js';

const { KVMetadataEntry, KVMetadataWrite, KVRWSet, KVWrite, QueryReads, RangeQueryInfo } =
  ledger.rwset.kvrwset;

interface RangeQuery {
  readonly start: string;
  end: string;
  exhausted: boolean;
  readonly summary: RangeSummarizer;
}

interface NamespaceBuilder {
  readonly reads: Map<string, Version | undefined>;
  readonly writes: Map<string, Uint8Array | null>;
  readonly metadataWrites: Map<string, ReadonlyMap<string, Uint8Array>>;
  readonly rangeQueries: RangeQuery[];
}

/** Collects what a transaction reads and writes; the result has one byte representation, sorted by namespace and key. */
export class ReadWriteSetBuilder {
  readonly #namespaces = new Map<string, NamespaceBuilder>();

  #of(namespace: string): NamespaceBuilder {
    let builder = this.#namespaces.get(namespace);
    if (!builder) {
      builder = { reads: new Map(), writes: new Map(), metadataWrites: new Map(), rangeQueries: [] };
      this.#namespaces.set(namespace, builder);
    }
    return builder;
  }

  addRead(namespace: string, key: string, version: Version | undefined): void {
    this.#of(namespace).reads.set(key, version);
  }

  /** A null value deletes the key. */
  addWrite(namespace: string, key: string, value: Uint8Array | null): void {
    this.#of(namespace).writes.set(key, value);
  }

  addMetadataWrite(namespace: string, key: string, metadata: ReadonlyMap<string, Uint8Array>): void {
    this.#of(namespace).metadataWrites.set(key, metadata);
  }

  addRangeQuery(namespace: string, start: string, summary: RangeSummarizer): RangeQuery {
    const query = { start, end: '', exhausted: false, summary };
    this.#of(namespace).rangeQueries.push(query);
    return query;
  }

  get namespaces(): string[] {
    return [...this.#namespaces.keys()];
  }

  /** Serialized `TxReadWriteSet`; may be called once. */
  build(): Wire {
    const sets = sortedByUtf8(this.#namespaces, ([name]) => name).map(([namespace, builder]) =>
      wire(bytesField(1, namespace), bytesField(2, buildNamespace(builder).serializeBinary())),
    );
    return wire(
      numberField(1, ledger.rwset.TxReadWriteSet.DataModel.KV),
      ...sets.map((set) => delimitedField(2, set)),
    );
  }
}

function buildNamespace(builder: NamespaceBuilder): ledger.rwset.kvrwset.KVRWSet {
  const set = new KVRWSet();
  set.setReadsList(sortedByUtf8(builder.reads, ([key]) => key).map(([key, version]) => kvRead(key, version)));
  set.setWritesList(
    sortedByUtf8(builder.writes, ([key]) => key).map(([key, value]) => {
      const write = new KVWrite();
      write.setKey(key);
      if (value === null) write.setIsDelete(true);
      else write.setValue(value);
      return write;
    }),
  );
  set.setMetadataWritesList(
    sortedByUtf8(builder.metadataWrites, ([key]) => key).map(([key, metadata]) => {
      const write = new KVMetadataWrite();
      write.setKey(key);
      write.setEntriesList(
        sortedByUtf8(metadata, ([name]) => name).map(([name, value]) => {
          const entry = new KVMetadataEntry();
          entry.setName(name);
          entry.setValue(value);
          return entry;
        }),
      );
      return write;
    }),
  );
  const seen = new Set<string>();
  for (const query of builder.rangeQueries) {
    const identity = JSON.stringify([query.start, query.end, query.exhausted]);
    if (seen.has(identity)) continue;
    seen.add(identity);
    set.addRangeQueriesInfo(buildRangeQuery(query));
  }
  return set;
}

function buildRangeQuery(query: RangeQuery): ledger.rwset.kvrwset.RangeQueryInfo {
  const info = new RangeQueryInfo();
  info.setStartKey(query.start);
  info.setEndKey(query.end);
  info.setItrExhausted(query.exhausted);
  const { reads, merkle } = query.summary.done();
  if (merkle) {
    info.setReadsMerkleHashes(merkle);
  } else if (reads && reads.length > 0) {
    const message = new QueryReads();
    message.setKvReadsList([...reads]);
    info.setRawReads(message);
  }
  return info;
}

/** A key's metadata in the state database. */
export function encodeMetadata(entries: readonly ledger.rwset.kvrwset.KVMetadataEntry[]): Uint8Array {
  if (entries.length === 0) return new Uint8Array(0);
  const write = new KVMetadataWrite();
  write.setEntriesList([...entries]);
  return write.serializeBinary();
}

export function decodeMetadata(bytes: Uint8Array): Map<string, Uint8Array> {
  if (bytes.length === 0) return new Map();
  return new Map(
    KVMetadataWrite.deserializeBinary(bytes)
      .getEntriesList()
      .map((entry) => [entry.getName(), entry.getValue_asU8()]),
  );
}
