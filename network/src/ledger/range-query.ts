import { ledger } from '@hyperledger/fabric-protos';
import { sha256 } from '../protos/bytes.js';

const { KVRead, QueryReads, QueryReadsMerkleSummary, Version: VersionMessage } = ledger.rwset.kvrwset;
import { type Version } from './state-db.js';

/** Reads below this number stay as they are; more are summed up in a Merkle tree of this degree. */
export const maxDegree = 50;

export function kvRead(key: string, version: Version | undefined): ledger.rwset.kvrwset.KVRead {
  const read = new KVRead();
  read.setKey(key);
  if (version) {
    const message = new VersionMessage();
    message.setBlockNum(version.block);
    message.setTxNum(version.tx);
    read.setVersion(message);
  }
  return read;
}

export function readVersion(read: ledger.rwset.kvrwset.KVRead): Version | undefined {
  const version = read.getVersion();
  return version && { block: version.getBlockNum(), tx: version.getTxNum() };
}

/** What a range query saw: the reads themselves, or the top of a Merkle tree over them. */
export interface RangeSummary {
  readonly reads?: readonly ledger.rwset.kvrwset.KVRead[];
  readonly merkle?: ledger.rwset.kvrwset.QueryReadsMerkleSummary;
}

/**
 * Sums up the results of a range query for the read set, the same way when a transaction is simulated and when it is
 * validated. Reads are hashed in groups of `degree + 1`, hashes of one level in groups of `degree + 1` into the next.
 * Source: core/ledger/kvledger/txmgmt/rwsetutil/query_results_helper.go.
 */
export class RangeSummarizer {
  #pending: ledger.rwset.kvrwset.KVRead[] = [];
  readonly #levels = new Map<number, Buffer[]>();
  #maxLevel = 1;

  constructor(private readonly degree = maxDegree) {}

  add(read: ledger.rwset.kvrwset.KVRead): void {
    this.#pending.push(read);
    if (this.#pending.length > this.degree) this.#hashPending();
  }

  done(): RangeSummary {
    if (this.#maxLevel === 1 && !this.#levels.get(1)?.length) return { reads: this.#pending };
    if (this.#pending.length > 0) this.#hashPending();
    for (let level = 1; level < this.#maxLevel; level++) {
      const hashes = this.#levels.get(level) ?? [];
      const [only] = hashes;
      if (!only) continue;
      this.#levels.delete(level);
      this.#push(level + 1, hashes.length === 1 ? only : sha256(...hashes));
    }
    const top = this.#levels.get(this.#maxLevel) ?? [];
    if (top.length > this.degree) {
      this.#levels.delete(this.#maxLevel++);
      this.#levels.set(this.#maxLevel, [sha256(...top)]);
    }
    const merkle = new QueryReadsMerkleSummary();
    merkle.setMaxDegree(this.degree);
    merkle.setMaxLevel(this.#maxLevel);
    merkle.setMaxLevelHashesList(this.#levels.get(this.#maxLevel) ?? []);
    return { merkle };
  }

  #hashPending(): void {
    const reads = new QueryReads();
    reads.setKvReadsList(this.#pending);
    this.#pending = [];
    this.#push(1, sha256(reads.serializeBinary()));
    for (let level = 1; ; level++) {
      const hashes = this.#levels.get(level) ?? [];
      if (hashes.length <= this.degree) return;
      this.#levels.delete(level);
      this.#push(level + 1, sha256(...hashes));
      this.#maxLevel = Math.max(this.#maxLevel, level + 1);
    }
  }

  #push(level: number, hash: Buffer): void {
    this.#levels.set(level, [...(this.#levels.get(level) ?? []), hash]);
  }
}
