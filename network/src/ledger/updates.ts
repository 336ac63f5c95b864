import { type TransactionEnvelope } from '../protos/transaction.js';
import { encodeMetadata } from './read-write-set.js';
import { type StateDb, type Version, type VersionedValue } from './state-db.js';

/** A key's new value; a null value deletes it. */
export interface Update {
  readonly namespace: string;
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly metadata: Uint8Array;
  readonly version: Version;
}

/** What the valid transactions of a block change, in order. Source: txmgmt/validation/tx_ops.go. */
export class Updates {
  readonly #byKey = new Map<string, Update>();

  get(namespace: string, key: string): Update | undefined {
    return this.#byKey.get(`${namespace}\0${key}`);
  }

  values(): IterableIterator<Update> {
    return this.#byKey.values();
  }

  /** Adds a valid transaction. A value written alone keeps the key's metadata; metadata alone keeps its value. */
  apply(transaction: TransactionEnvelope, version: Version, state: StateDb): void {
    for (const { namespace, set } of transaction.action?.readWriteSets ?? []) {
      const metadata = new Map(
        set.getMetadataWritesList().map((write) => [write.getKey(), encodeMetadata(write.getEntriesList())]),
      );
      for (const write of set.getWritesList()) {
        const key = write.getKey();
        const value = write.getValue_asU8();
        const deleted = write.getIsDelete() || value.length === 0;
        this.#put({
          namespace,
          key,
          value: deleted ? null : value,
          metadata: deleted
            ? new Uint8Array(0)
            : (metadata.get(key) ?? this.#latest(namespace, key, state)?.metadata ?? new Uint8Array(0)),
          version,
        });
        metadata.delete(key);
      }
      for (const [key, entries] of metadata) {
        const latest = this.#latest(namespace, key, state);
        if (latest) this.#put({ namespace, key, value: latest.value, metadata: entries, version });
      }
    }
  }

  #latest(
    namespace: string,
    key: string,
    state: StateDb,
  ): Pick<VersionedValue, 'value' | 'metadata'> | undefined {
    const updated = this.get(namespace, key);
    if (!updated) return state.get(namespace, key);
    return updated.value === null ? undefined : { value: updated.value, metadata: updated.metadata };
  }

  #put(update: Update): void {
    this.#byKey.set(`${update.namespace}\0${update.key}`, update);
  }
}
