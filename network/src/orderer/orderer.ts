import { common } from '@hyperledger/fabric-protos';
import { type BatchOptions } from '../embedded-options.js';
import { BlockStore } from '../ledger/block-store.js';
import { remembered } from '../ledger/validator.js';
import { type Signer } from '../msp/identity.js';
import { type ChannelPolicies } from '../policy/channel-policies.js';
import { type Block, blockHeaderBytes, metadataIndex, newBlock, withMetadata } from '../protos/block.js';
import { type TransactionEnvelope } from '../protos/transaction.js';
import { BlockCutter } from './block-cutter.js';

/** The orderer's answer to a broadcast message. */
export interface BroadcastResult {
  readonly status: number;
  readonly info: string;
}

/** Receives each block once, in order; the orderer does not wait for it. */
export type BlockConsumer = (block: Block, transactions: readonly TransactionEnvelope[]) => void;

export interface OrdererChannelOptions {
  readonly channel: string;
  readonly dir: string;
  readonly signer: Signer;
  readonly policies: ChannelPolicies;
  readonly batch: BatchOptions;
  /** Data of block 0. */
  readonly genesis: () => Uint8Array;
  readonly onError: (error: unknown) => void;
}

const Status = common.Status;

/**
 * The single orderer's side of one channel: checks messages, cuts them into blocks, signs the blocks and keeps them. A
 * block is on the orderer's disk before a peer sees it, so that peers that were behind can be brought up to date.
 */
export class OrdererChannel {
  readonly #cutter: BlockCutter<{ size: number; transaction: TransactionEnvelope }>;
  readonly #consumers: BlockConsumer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    private readonly options: OrdererChannelOptions,
    private readonly blocks: BlockStore,
  ) {
    this.#cutter = new BlockCutter(options.batch);
  }

  /** @throws LedgerError where the orderer's block files are damaged */
  static async open(options: OrdererChannelOptions): Promise<OrdererChannel> {
    const blocks = await BlockStore.open(options.dir);
    const orderer = new OrdererChannel(options, blocks);
    if (blocks.height === 0)
      await blocks.append(orderer.#sign(newBlock(0, new Uint8Array(0), [options.genesis()])));
    return orderer;
  }

  get height(): number {
    return this.blocks.height;
  }

  /** The first damage that reading blocks came upon. */
  get damage(): string | undefined {
    return this.blocks.damage;
  }

  /** Reads all blocks and their links. @throws LedgerError BLOCK_DAMAGED */
  verify(): Promise<void> {
    return this.blocks.verify();
  }

  block(number: number): Promise<Block> {
    return this.blocks.read(number);
  }

  /** Takes back a block that a peer has and the orderer lost: its last write may not have reached the disk. */
  async adopt(block: Block): Promise<void> {
    await this.blocks.append(block);
  }

  /** Blocks that are written from now on go to the consumer too. */
  deliverTo(consumer: BlockConsumer): void {
    this.#consumers.push(consumer);
  }

  /** Takes a signed envelope; SUCCESS means that it will be in a block, not that it is valid. */
  broadcast(transaction: TransactionEnvelope): BroadcastResult {
    const refused = this.#refusal(transaction);
    if (refused) return refused;
    const size = transaction.payload.length + transaction.signature.length;
    for (const batch of this.#cutter.add({ size, transaction })) this.#write(batch);
    this.#restartTimer();
    return { status: Status.SUCCESS, info: '' };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#cutter.pending && !this.#closed) this.#write(this.#cutter.cut());
    this.#closed = true;
    await this.#writing;
    await this.blocks.close();
  }

  #refusal(transaction: TransactionEnvelope): BroadcastResult | undefined {
    const { policies, channel, batch } = this.options;
    const { headers, payload, signature } = transaction;
    if (this.#closed) return { status: Status.SERVICE_UNAVAILABLE, info: 'the orderer is stopping' };
    if (!headers)
      return { status: Status.BAD_REQUEST, info: 'could not determine channel ID: envelope has no header' };
    if (transaction.channelId !== channel)
      return { status: Status.NOT_FOUND, info: 'channel does not exist' };
    if (!transaction.isEndorserTransaction) {
      return { status: Status.BAD_REQUEST, info: 'configuration updates are not supported here' };
    }
    if (payload.length === 0) return { status: Status.BAD_REQUEST, info: 'Message was empty' };
    const size = payload.length + signature.length;
    if (size > batch.absoluteMaxBytes) {
      return {
        status: Status.BAD_REQUEST,
        info: `message payload is ${size} bytes and exceeds maximum allowed ${batch.absoluteMaxBytes} bytes`,
      };
    }
    const creator = headers.signatureHeader.getCreator_asU8();
    try {
      if (policies.manager.deserialize(creator).expiresAt < new Date()) {
        return { status: Status.BAD_REQUEST, info: 'broadcast client identity expired' };
      }
    } catch {
      // Refused by the policy below.
    }
    const denied = policies.checkSigned(
      channel,
      '/Channel/Application/Writers',
      [{ data: payload, identity: creator, signature }],
      (identity) => remembered(transaction, 'creator', () => identity.verify(payload, signature)),
    );
    if (denied === null) return undefined;
    const problem =
      'implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy requires 1 of the ' +
      "'Writers' sub-policies to be satisfied: permission denied";
    return { status: Status.FORBIDDEN, info: problem };
  }

  #restartTimer(): void {
    if (!this.#cutter.pending) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#cutter.pending) this.#write(this.#cutter.cut());
    }, this.options.batch.timeoutMs);
  }

  #write(batch: readonly { transaction: TransactionEnvelope }[]): void {
    const transactions = batch.map(({ transaction }) => transaction);
    this.#writing = this.#writing
      .then(async () => {
        const data = transactions.map(({ bytes }) => bytes);
        const block = this.#sign(newBlock(this.blocks.height, this.blocks.lastHash, data));
        await this.blocks.append(block);
        for (const consume of this.#consumers) consume(block, transactions);
      })
      .catch(this.options.onError);
  }

  /** Adds the orderer's signature over the block's header. */
  #sign(block: Block): Block {
    const { signer } = this.options;
    const signatureHeader = signer.signatureHeader().serializeBinary();
    const lastConfig = new common.LastConfig();
    const value = new common.OrdererBlockMetadata();
    value.setLastConfig(lastConfig);
    const valueBytes = value.serializeBinary();
    const signature = new common.MetadataSignature();
    signature.setSignatureHeader(signatureHeader);
    signature.setSignature(
      signer.sign(Buffer.concat([valueBytes, signatureHeader, blockHeaderBytes(block.header)])),
    );
    const metadata = new common.Metadata();
    metadata.setValue(valueBytes);
    metadata.setSignaturesList([signature]);
    return withMetadata(block, metadataIndex.signatures, metadata.serializeBinary());
  }
}
