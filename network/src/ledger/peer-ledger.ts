import { join } from 'node:path';
import { type ChannelPolicies } from '../policy/channel-policies.js';
import { type Block, metadataIndex, withMetadata } from '../protos/block.js';
import { Code, type TransactionEnvelope } from '../protos/transaction.js';
import { Announcements, type TransactionStatus } from './announcements.js';
import { BlockStore } from './block-store.js';
import { blockOperations, type CommittedBlock, readCommitted } from './committed-block.js';
import { openDatabase } from './database.js';
import { Indexes, isSynced, type TransactionLocation } from './indexes.js';
import { LedgerError } from './ledger-error.js';
import { type ChaincodeDefinition, lifecycleNamespace, readDefinition } from './lifecycle-state.js';
import { Simulator } from './simulator.js';
import { type Level, StateDb } from './state-db.js';
import { Updates } from './updates.js';
import { BlockValidator, type Verdict } from './validator.js';

export interface PeerLedgerOptions {
  readonly dir: string;
  readonly channel: string;
  readonly policies: ChannelPolicies;
  readonly onInvalid?: (txId: string, verdict: Verdict) => void;
  readonly log?: (message: string) => void;
}

/**
 * One peer's ledger of one channel: its own block files, state, history and indexes.
 *
 * Every peer keeps and validates its own copy although all peers of an embedded network share a process: then a peer
 * holds only the channels of its organisation, answers from its own height, and notices by itself when its files are
 * damaged. What the copies share is the parsed transaction and the outcome of each signature check, which are the same
 * for all. A block is durable (fsync) before its changes reach the database and before anyone hears of it; the database
 * is synced seldom, because it is rebuilt from the blocks after its last recorded height.
 */
export class PeerLedger {
  readonly state: StateDb;
  readonly #indexes: Indexes;
  readonly #validator: BlockValidator;
  readonly #parsed = new WeakMap<Block, CommittedBlock>();
  readonly #announcements: Announcements;
  readonly #definitions = new Map<string, ChaincodeDefinition | undefined>();
  /** Blocks in the database. */
  #applied: number;
  #committing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    private readonly options: PeerLedgerOptions,
    private readonly blocks: BlockStore,
    private readonly db: Level,
  ) {
    this.state = new StateDb(db);
    this.#indexes = new Indexes(db);
    this.#applied = this.#indexes.height;
    this.#announcements = new Announcements(this.#applied);
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
      db = await openDatabase(join(options.dir, 'state'), options.log ?? (() => undefined));
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
    return this.#announcements.height;
  }

  get lastHash(): Uint8Array {
    return this.blocks.lastHash;
  }

  /** The first damage that reading blocks came upon. */
  get damage(): string | undefined {
    return this.blocks.damage;
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
  announce(committed: CommittedBlock): void {
    this.#announcements.announce(committed);
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
    if (number >= this.height) {
      throw new LedgerError('BLOCK_MISSING', `no such block number [${number}] in index`);
    }
    return this.#committed(await this.blocks.read(number));
  }

  /** Waits until the block of that number is committed, then reads it; undefined if the signal ends the wait. */
  async nextBlock(number: number, signal: AbortSignal): Promise<CommittedBlock | undefined> {
    return (await this.#announcements.block(number, signal)) ? this.block(number) : undefined;
  }

  /** The transaction's validation code, as soon as it is committed; undefined if the signal ends the wait. */
  transactionStatus(txId: string, signal: AbortSignal): Promise<TransactionStatus | undefined> {
    const known = this.#indexes.transaction(txId);
    if (known && known.block < this.height) return Promise.resolve({ code: known.code, block: known.block });
    return this.#announcements.transaction(txId, signal);
  }

  /** Reads all blocks and their links. @throws LedgerError BLOCK_DAMAGED */
  verify(): Promise<void> {
    return this.blocks.verify();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#committing;
    this.#closed = true;
    this.#announcements.close();
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

  async #apply(committed: CommittedBlock, updates: Updates): Promise<void> {
    const { number } = committed.block.header;
    const operations = blockOperations(committed, updates, this.#indexes);
    await this.db.batch(operations, { sync: isSynced(number) });
    for (const { namespace } of updates.values()) {
      if (namespace === lifecycleNamespace) this.#definitions.clear();
    }
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
    this.#announcements.height = this.#applied;
  }

  #committed(block: Block): CommittedBlock {
    let committed = this.#parsed.get(block);
    if (!committed) {
      committed = readCommitted(block);
      this.#parsed.set(block, committed);
    }
    return committed;
  }
}
