import { type Level, type Operation } from './state-db.js';

/** Keys of the indexes that a peer keeps beside its state: transactions, block hashes, history, height. */

export interface TransactionLocation {
  readonly block: number;
  readonly tx: number;
  readonly code: number;
}

const heightKey = Buffer.from('m-height');

/** Every so many blocks the database is synced, so that no block before the last so many can be missing in it. */
const syncInterval = 128;

/** True for blocks whose changes are to be synced, together with all before them. */
export function isSynced(block: number): boolean {
  return block % syncInterval === syncInterval - 1;
}

function writtenKey(block: number): Buffer {
  return prefixed('w', Buffer.of(block % syncInterval));
}

function prefixed(prefix: string, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(prefix), ...parts]);
}

function transactionKey(txId: string): Buffer {
  return prefixed('t', Buffer.from(txId));
}

function historyPrefix(namespace: string, key: string): Buffer {
  const name = Buffer.from(`${namespace}\0${key}`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return prefixed('h', length, name);
}

function position(block: number, tx: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(block), 0);
  bytes.writeUInt32BE(tx, 8);
  return bytes;
}

export class Indexes {
  constructor(private readonly db: Level) {}

  /** Number of blocks whose changes are in the database. */
  get height(): number {
    const bytes = this.db.getSync(heightKey);
    return bytes === undefined ? 0 : Number(Buffer.from(bytes).readBigUInt64BE(0));
  }

  /**
   * The first block whose changes are missing although later ones are there: without a sync, an end of the machine can
   * leave a hole in LevelDB's log, which LevelDB skips.
   */
  firstLost(): number | undefined {
    const { height } = this;
    for (let number = Math.max(0, height - syncInterval); number < height; number++) {
      const bytes = this.db.getSync(writtenKey(number));
      if (bytes === undefined || Number(Buffer.from(bytes).readBigUInt64BE(0)) !== number) return number;
    }
    return undefined;
  }

  /** Where the transaction was first seen. */
  transaction(txId: string): TransactionLocation | undefined {
    const bytes = this.db.getSync(transactionKey(txId));
    if (bytes === undefined) return undefined;
    const value = Buffer.from(bytes);
    return { block: Number(value.readBigUInt64BE(0)), tx: value.readUInt32BE(8), code: value.readUInt8(12) };
  }

  blockByHash(hash: Uint8Array): number | undefined {
    const bytes = this.db.getSync(prefixed('x', hash));
    return bytes === undefined ? undefined : Number(Buffer.from(bytes).readBigUInt64BE(0));
  }

  /** Positions of the valid transactions that wrote a key, newest first. */
  history(namespace: string, key: string): HistoryPositions {
    const prefix = historyPrefix(namespace, key);
    const iterator = this.db.keys({
      gte: prefix,
      lt: Buffer.concat([prefix, Buffer.alloc(12, 0xff)]),
      reverse: true,
    });
    return {
      async next() {
        const found = await iterator.next();
        if (found === undefined) return undefined;
        const at = Buffer.from(found).subarray(prefix.length);
        return { block: Number(at.readBigUInt64BE(0)), tx: at.readUInt32BE(8) };
      },
      close: () => iterator.close(),
    };
  }
}

export interface HistoryPositions {
  next(): Promise<{ readonly block: number; readonly tx: number } | undefined>;
  close(): Promise<void>;
}

export const indexOperation = {
  height: (height: number): Operation => ({ type: 'put', key: heightKey, value: position(height, 0) }),
  written: (block: number): Operation => ({
    type: 'put',
    key: writtenKey(block),
    value: position(block, 0),
  }),
  transaction: (txId: string, { block, tx, code }: TransactionLocation): Operation => ({
    type: 'put',
    key: transactionKey(txId),
    value: Buffer.concat([position(block, tx), Buffer.of(code)]),
  }),
  blockHash: (hash: Uint8Array, block: number): Operation => ({
    type: 'put',
    key: prefixed('x', hash),
    value: position(block, 0),
  }),
  history: (namespace: string, key: string, block: number, tx: number): Operation => ({
    type: 'put',
    key: Buffer.concat([historyPrefix(namespace, key), position(block, tx)]),
    value: Buffer.alloc(0),
  }),
};
