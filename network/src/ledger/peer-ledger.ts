import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { type ChannelPolicies } from '../policy/channel-policies.js';
import { type Block, blockHeaderHash, metadataIndex, withMetadata } from '../protos/block.js';
import { Code, TransactionEnvelope, type ValidationCode } from '../protos/transaction.js';
import { BlockStore } from './block-store.js';
import { indexOperation, Indexes, type TransactionLocation } from './indexes.js';
import { LedgerError } from './ledger-error.js';
import { type ChaincodeDefinition, lifecycleNamespace, readDefinition } from './lifecycle-state.js';
import { Simulator } from './simulator.js';
import { encodeValue, type Level, type Operation, StateDb, stateKey } from './state-db.js';
import { Updates } from './updates.js';
import { BlockValidator, type Verdict } from './validator.js';

/** A block as a peer committed it, with its transactions taken apart. */
export interface CommittedBlock {
  readonly block: Block;
  readonly transactions: readonly TransactionEnvelope[];
  readonly codes: readonly ValidationCode[];
}

export interface TransactionStatus {
  readonly code: ValidationCode;
  readonly block: number;
}

export interface PeerLedgerOptions {
  readonly dir: string;
  readonly channel: string;
  readonly policies: ChannelPolicies;
  readonly onInvalid?: (txId: string, verdict: Verdict) => void;
}

/**
 * One peer's ledger of one channel: its own block files, state, history and indexes.
 *
 * Every peer keeps and validates its own copy although all peers of an embedded network share a process: then a peer
 * holds only the channels of its organisation, answers from its own height, and notices by itself when its files are
 * damaged. What the copies share is the parsed transaction and the outcome of each signature check, which are the same
 * for all. A block is durable (fsync) before its changes reach the database and before anyone hears of it; the database
 * is not synced, because it is rebuilt from the blocks after its last recorded height.
 */
export class PeerLedger {
  readonly state: StateDb;
  readonly #indexes: Indexes;
  readonly #validator: BlockValidator;
  readonly #parsed = new WeakMap<Block, CommittedBlock>();
  readonly #heightWaiters = new Set<() => void>();
  readonly #statusWaiters = new Map<string, Set<(status: TransactionStatus) => void>>();
  readonly #definitions = new Map<string, ChaincodeDefinition | undefined>();
  /** Blocks in the database. */
  #applied: number;
  /** Blocks that everyone may know of. */
  #height: number;
  #committing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    private readonly options: PeerLedgerOptions,
    private readonly blocks: BlockStore,
    private readonly db: Level,
  ) {
    this.state = new StateDb(db);
    this.#indexes = new Indexes(db);
    this.#applied = this.#height = this.#indexes.height;
    this.#validator = new BlockValidator(
      options.channel,
      options.policies,
      this.state,
      (txId) => this.#indexes.transaction(txId) !== undefined,
      (name) => this.definition(name),
    );
  }

  /**
   * Opens the ledger and brings its state up to its last block.
   *
   * @throws LedgerError where block files are damaged or missing
   */
  static async open(options: PeerLedgerOptions): Promise<PeerLedger> {
    const blocks = await BlockStore.open(join(options.dir, 'blocks'));
    let db: Level | undefined;
    try {
      db = await openDatabase(join(options.dir, 'state'));
      const ledger = new PeerLedger(options, blocks, db);
      await ledger.#recover();
      return ledger;
    } catch (error) {
      await db?.close();
      await blocks.close();
      throw error;
    }
  }

  get channel(): string {
    return this.options.channel;
  }

  /** Number of committed and announced blocks. */
  get height(): number {
    return this.#height;
  }

  get lastHash(): Uint8Array {
    return this.blocks.lastHash;
  }

  /** Validates and commits the next block; when that resolves, the block is durable and may be announced. */
  commit(block: Block, transactions: readonly TransactionEnvelope[]): Promise<CommittedBlock> {
    const done = this.#committing.then(() => this.#commit(block, transactions));
    this.#committing = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** Tells everyone who waits about a block that `commit` returned. Blocks are announced in order. */
  announce({ block, transactions, codes }: CommittedBlock): void {
    this.#height = block.header.number + 1;
    transactions.forEach(({ txId }, index) => {
      const waiters = this.#statusWaiters.get(txId);
      if (!waiters) return;
      const status = { code: codes[index] ?? Code.INVALID_OTHER_REASON, block: block.header.number };
      for (const finish of waiters) finish(status);
    });
    for (const wake of [...this.#heightWaiters]) wake();
  }

  simulator(txId: string): Simulator {
    if (this.#closed)
      throw new LedgerError('LEDGER_CLOSED', `The ledger of channel ${this.channel} is closed.`);
    return new Simulator(this.state, this.db.snapshot(), txId);
  }

  /** The committed definition of a chaincode. */
  definition(name: string): ChaincodeDefinition | undefined {
    if (!this.#definitions.has(name)) {
      this.#definitions.set(
        name,
        readDefinition(name, (key) => this.state.get(lifecycleNamespace, key)?.value),
      );
    }
    return this.#definitions.get(name);
  }

  /** Valid writes of a key, newest first. */
  history(namespace: string, key: string): ReturnType<Indexes['history']> {
    return this.#indexes.history(namespace, key);
  }

  /** Where a transaction is; undefined if it was not committed here. */
  transactionLocation(txId: string): TransactionLocation | undefined {
    return this.#indexes.transaction(txId);
  }

  blockNumberByHash(hash: Uint8Array): number | undefined {
    return this.#indexes.blockByHash(hash);
  }

  /** @throws LedgerError BLOCK_MISSING, BLOCK_DAMAGED */
  async block(number: number): Promise<CommittedBlock> {
    if (number >= this.#height) {
      throw new LedgerError('BLOCK_MISSING', `no such block number [${number}] in index`);
    }
    return this.#committed(await this.blocks.read(number));
  }

  /** Waits until the block of that number is committed, then reads it; undefined if the signal ends the wait. */
  async nextBlock(number: number, signal: AbortSignal): Promise<CommittedBlock | undefined> {
    while (number >= this.#height) {
      if (signal.aborted || this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#heightWaiters.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#heightWaiters.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
    return signal.aborted ? undefined : this.block(number);
  }

  /** The transaction's validation code, as soon as it is committed; undefined if the signal ends the wait. */
  transactionStatus(txId: string, signal: AbortSignal): Promise<TransactionStatus | undefined> {
    const known = this.#indexes.transaction(txId);
    if (known && known.block < this.#height) return Promise.resolve({ code: known.code, block: known.block });
    return new Promise((resolve) => {
      const waiters = this.#statusWaiters.get(txId) ?? new Set();
      this.#statusWaiters.set(txId, waiters);
      const finish = (status?: TransactionStatus): void => {
        waiters.delete(finish);
        if (waiters.size === 0) this.#statusWaiters.delete(txId);
        signal.removeEventListener('abort', abort);
        resolve(status);
      };
      const abort = (): void => finish();
      waiters.add(finish);
      if (signal.aborted) finish();
      else signal.addEventListener('abort', abort);
    });
  }

  /** Reads all blocks and their links. @throws LedgerError BLOCK_DAMAGED */
  verify(): Promise<void> {
    return this.blocks.verify();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#committing;
    this.#closed = true;
    for (const wake of this.#heightWaiters) wake();
    await this.db.close();
    await this.blocks.close();
  }

  async #commit(block: Block, transactions: readonly TransactionEnvelope[]): Promise<CommittedBlock> {
    const { number } = block.header;
    const { verdicts, updates } = await this.#validator.validate(number, transactions);
    verdicts.forEach((verdict, index) => {
      const transaction = transactions[index];
      if (verdict.code !== Code.VALID && transaction) this.options.onInvalid?.(transaction.txId, verdict);
    });
    const codes = verdicts.map(({ code }) => code);
    const filtered = withMetadata(block, metadataIndex.transactionsFilter, Uint8Array.from(codes));
    await this.blocks.append(filtered);
    const committed = { block: filtered, transactions, codes };
    this.#parsed.set(filtered, committed);
    await this.#apply(committed, updates);
    return committed;
  }

  async #apply({ block, transactions, codes }: CommittedBlock, updates: Updates): Promise<void> {
    const { number } = block.header;
    const operations: Operation[] = [
      indexOperation.height(number + 1),
      indexOperation.blockHash(blockHeaderHash(block.header), number),
    ];
    const indexed = new Set<string>();
    transactions.forEach((transaction, tx) => {
      const code = codes[tx] ?? Code.INVALID_OTHER_REASON;
      const { txId } = transaction;
      if (txId !== '' && !indexed.has(txId) && !this.#indexes.transaction(txId)) {
        indexed.add(txId);
        operations.push(indexOperation.transaction(txId, { block: number, tx, code }));
      }
      if (code !== Code.VALID) return;
      for (const { namespace, set } of transaction.action?.readWriteSets ?? []) {
        for (const write of set.getWritesList()) {
          operations.push(indexOperation.history(namespace, write.getKey(), number, tx));
        }
      }
    });
    let redefined = false;
    for (const { namespace, key, value, metadata, version } of updates.values()) {
      redefined ||= namespace === lifecycleNamespace;
      const stored = stateKey(namespace, key);
      operations.push(
        value === null
          ? { type: 'del', key: stored }
          : { type: 'put', key: stored, value: encodeValue({ value, metadata, version }) },
      );
    }
    await this.db.batch(operations);
    if (redefined) this.#definitions.clear();
    this.#applied = number + 1;
  }

  /** Applies the blocks that the database has not seen, by the codes that were given to their transactions. */
  async #recover(): Promise<void> {
    if (this.#applied > this.blocks.height) {
      throw new LedgerError(
        'STATE_AHEAD',
        `The state of channel ${this.channel} in ${this.options.dir} is at height ${this.#applied}, ` +
          `but only ${this.blocks.height} blocks are there: block files were lost.`,
      );
    }
    while (this.#applied < this.blocks.height) {
      const committed = this.#committed(await this.blocks.read(this.#applied));
      const updates = new Updates();
      committed.transactions.forEach((transaction, tx) => {
        if (committed.codes[tx] === Code.VALID) {
          updates.apply(transaction, { block: committed.block.header.number, tx }, this.state);
        }
      });
      await this.#apply(committed, updates);
    }
    this.#height = this.#applied;
  }

  #committed(block: Block): CommittedBlock {
    let committed = this.#parsed.get(block);
    if (!committed) {
      committed = {
        block,
        transactions: block.data.map((bytes) => new TransactionEnvelope(bytes)),
        codes: Array.from(block.metadata[metadataIndex.transactionsFilter] ?? []),
      };
      this.#parsed.set(block, committed);
    }
    return committed;
  }
}

/** Opens the state database; one that LevelDB finds corrupt is thrown away, because the blocks can rebuild it. */
async function openDatabase(dir: string): Promise<Level> {
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer', cacheSize: 16 * 1024 * 1024 } as const;
  const db: Level = new ClassicLevel(dir, options);
  try {
    await db.open();
    return db;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
    if (cause?.code !== 'LEVEL_CORRUPTION') throw error;
    await rm(dir, { recursive: true, force: true });
    const fresh: Level = new ClassicLevel(dir, options);
    await fresh.open();
    return fresh;
  }
}
