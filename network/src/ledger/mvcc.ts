import { type ledger } from '@hyperledger/fabric-protos';
import { compareUtf8, equalBytes, sortedByUtf8 } from '../protos/bytes.js';
import { Code, type TransactionEnvelope, type ValidationCode } from '../protos/transaction.js';
import { kvRead, RangeSummarizer, readVersion } from './range-query.js';
import { sameVersion, type StateDb, type Version } from './state-db.js';
import { type Updates } from './updates.js';

/** Whether a transaction read what is still true, given the state and the transactions before it in its block. */
export interface ReadCheck {
  readonly code: ValidationCode;
  /** The key or range that was changed meanwhile. */
  readonly reason?: string;
}

/** Multi-version concurrency control. Source: txmgmt/validation/validator.go. */
export async function checkReads(
  transaction: TransactionEnvelope,
  state: StateDb,
  updates: Updates,
): Promise<ReadCheck> {
  for (const { namespace, set } of transaction.action?.readWriteSets ?? []) {
    for (const read of set.getReadsList()) {
      const key = read.getKey();
      if (
        updates.get(namespace, key) ||
        !sameVersion(state.get(namespace, key)?.version, readVersion(read))
      ) {
        return { code: Code.MVCC_READ_CONFLICT, reason: `${namespace}: key '${key}' has changed` };
      }
    }
    for (const query of set.getRangeQueriesInfoList()) {
      if (!(await rangeUnchanged(namespace, query, state, updates))) {
        return {
          code: Code.PHANTOM_READ_CONFLICT,
          reason: `${namespace}: range '${query.getStartKey()}' to '${query.getEndKey()}' has changed`,
        };
      }
    }
  }
  return { code: Code.VALID };
}

async function rangeUnchanged(
  namespace: string,
  query: ledger.rwset.kvrwset.RangeQueryInfo,
  state: StateDb,
  updates: Updates,
): Promise<boolean> {
  const merkle = query.getReadsMerkleHashes();
  if (merkle) {
    const summarizer = new RangeSummarizer(merkle.getMaxDegree());
    for await (const { key, version } of currentRange(namespace, query, state, updates)) {
      summarizer.add(kvRead(key, version));
    }
    const now = summarizer.done().merkle;
    return now !== undefined && equalBytes(now.serializeBinary(), merkle.serializeBinary());
  }
  const expected = query.getRawReads()?.getKvReadsList() ?? [];
  let index = 0;
  for await (const { key, version } of currentRange(namespace, query, state, updates)) {
    const read = expected[index++];
    if (!read || read.getKey() !== key || !sameVersion(readVersion(read), version)) return false;
  }
  return index === expected.length;
}

interface Entry {
  readonly key: string;
  readonly version: Version;
}

/** The range as it would be read now: the state with the block's earlier transactions on top. */
async function* currentRange(
  namespace: string,
  query: ledger.rwset.kvrwset.RangeQueryInfo,
  state: StateDb,
  updates: Updates,
): AsyncGenerator<Entry> {
  const start = query.getStartKey();
  const end = query.getEndKey();
  // A query that was not read to its end covers the last key that it saw.
  const includeEnd = !query.getItrExhausted();
  const within = (key: string): boolean => {
    if (compareUtf8(key, start) < 0) return false;
    if (end === '') return true;
    const order = compareUtf8(key, end);
    return order < 0 || (includeEnd && order === 0);
  };
  const changed = sortedByUtf8(
    Array.from(updates.values()).filter((update) => update.namespace === namespace && within(update.key)),
    (update) => update.key,
  );
  const iterator = state.range(namespace, start, end);
  try {
    let position = 0;
    for (let stored = await iterator.next(); stored; stored = await iterator.next()) {
      for (; position < changed.length; position++) {
        const update = changed[position];
        if (!update || compareUtf8(update.key, stored.key) >= 0) break;
        if (update.value !== null) yield update;
      }
      if (!updates.get(namespace, stored.key)) yield stored;
    }
    for (; position < changed.length; position++) {
      const update = changed[position];
      if (update && update.value !== null && (update.key !== end || end === '')) yield update;
    }
  } finally {
    await iterator.close();
  }
  if (includeEnd && end !== '') {
    const update = updates.get(namespace, end);
    const current = update ? (update.value === null ? undefined : update) : state.get(namespace, end);
    if (current) yield { key: end, version: current.version };
  }
}
