import { type Network } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import { type Block, blockDataHash, blockHeaderHash, metadataIndex } from '../../src/protos/block.js';
import { Code, TransactionEnvelope } from '../../src/protos/transaction.js';
import { type Announced } from './load.js';

interface Link {
  readonly hash: string;
  readonly codes: string;
}

/**
 * What the blocks say, kept by the test through all restarts: the chain of hashes, the code of each transaction and the
 * state that the valid ones lead to. A block that was seen once must never change.
 */
export class Chain {
  readonly #links: Link[] = [];
  readonly #transactions = new Map<string, Omit<Announced, 'txId'>>();
  readonly #state = new Map<string, { value: string; version: string }>();

  constructor(
    private readonly channel: string,
    private readonly chaincode: string,
  ) {}

  get height(): number {
    return this.#links.length;
  }

  /** Keys and values in the order of the keys. */
  get state(): [key: string, value: string][] {
    return Array.from(this.#state, ([key, { value }]): [string, string] => [key, value]).sort(([a], [b]) =>
      a < b ? -1 : 1,
    );
  }

  /** Where a transaction is and with which code. */
  transaction(txId: string): Omit<Announced, 'txId'> | undefined {
    return this.#transactions.get(txId);
  }

  /**
   * Reads a peer's blocks from one number on: those that are known must be the same, new ones are added.
   *
   * @returns the peer's height
   * @throws Error where hashes or links are wrong, or a known block is gone or different
   */
  async follow(network: Network, from: number): Promise<number> {
    const info = common.BlockchainInfo.deserializeBinary(
      await network.getContract('qscc').evaluateTransaction('GetChainInfo', this.channel),
    );
    const height = info.getHeight();
    if (height < this.height)
      throw new Error(`${this.height} blocks were there, but a peer has only ${height}`);
    if (from >= height) return height;
    const blocks = await network.getBlockEvents({ startBlock: BigInt(from) });
    try {
      for await (const message of blocks) {
        const block = readBlock(message);
        this.#add(block);
        if (block.header.number === height - 1) break;
      }
    } finally {
      blocks.close();
    }
    return height;
  }

  #add(block: Block): void {
    const { number, previousHash, dataHash } = block.header;
    const problem = (what: string): Error => new Error(`block ${number}: ${what}`);
    if (hex(blockDataHash(block.data)) !== hex(dataHash)) throw problem('its data hash is wrong');
    const previous = this.#links[number - 1];
    if (number > 0 && hex(previousHash) !== previous?.hash)
      throw problem('it does not follow the one before');
    const codes = block.metadata[metadataIndex.transactionsFilter] ?? new Uint8Array(0);
    const link = { hash: hex(blockHeaderHash(block.header)), codes: hex(codes) };
    const known = this.#links[number];
    if (known) {
      if (known.hash !== link.hash || known.codes !== link.codes) throw problem('it is not what it was');
      return;
    }
    this.#links.push(link);
    const changed = new Set<string>();
    block.data.forEach((bytes, position) => {
      const transaction = new TransactionEnvelope(bytes);
      const code = codes[position] ?? Code.INVALID_OTHER_REASON;
      if (!this.#transactions.has(transaction.txId))
        this.#transactions.set(transaction.txId, { block: number, code });
      const expected = transaction.isEndorserTransaction
        ? this.#apply(transaction, `${number}:${position}`, changed)
        : Code.VALID;
      if (code !== expected) throw problem(`transaction ${position} has code ${code} instead of ${expected}`);
    });
  }

  /**
   * Repeats the check of the reads and the writes, with the test's own state.
   *
   * @param at the version that the writes get
   * @param changed keys that transactions before in the block have changed
   * @returns the code that the transaction should have
   */
  #apply(transaction: TransactionEnvelope, at: string, changed: Set<string>): number {
    for (const { namespace, set } of transaction.action?.readWriteSets ?? []) {
      if (namespace !== this.chaincode) continue;
      const current = set.getReadsList().every((read) => {
        const version = read.getVersion();
        const seen = version && `${version.getBlockNum()}:${version.getTxNum()}`;
        // Even the deletion of a key that was not there is a change.
        return !changed.has(read.getKey()) && this.#state.get(read.getKey())?.version === seen;
      });
      if (!current) return Code.MVCC_READ_CONFLICT;
      for (const write of set.getWritesList()) {
        const value = Buffer.from(write.getValue_asU8()).toString();
        changed.add(write.getKey());
        if (write.getIsDelete()) this.#state.delete(write.getKey());
        else this.#state.set(write.getKey(), { value, version: at });
      }
    }
    return Code.VALID;
  }
}

function readBlock(message: common.Block): Block {
  const header = message.getHeader();
  return {
    header: {
      number: header?.getNumber() ?? 0,
      previousHash: header?.getPreviousHash_asU8() ?? new Uint8Array(0),
      dataHash: header?.getDataHash_asU8() ?? new Uint8Array(0),
    },
    data: message.getData()?.getDataList_asU8() ?? [],
    metadata: message.getMetadata()?.getMetadataList_asU8() ?? [],
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
