/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
/** A channel that seals, in memory: institutions, entries that are pending, and a miner that finds work at once. */
import { PROVENANCE } from './foundation.js';
import { generateSealingKeyPair } from '@strokeshare/fhe';
import {
  batchMerkleRoot,
  type ChainTip,
  compactTarget,
  consortium,
  encodeHeader,
  expandTarget,
  formatCompact,
  type Header,
  headerHash,
  minerId,
  parseCompact,
  type PowParameters,
  type PowState,
  privateRecords,
  type RequestOf,
  type SealedItem,
  sealedRoot,
  type TransactionDefinition,
} from '../../src/index.js';
import { type Identity, identity, signingKeys } from './identities.js';
import { MemoryLedger } from './memoryLedger.js';

export const CHANNEL = 'hospital1-records';
const compact = (bits: bigint): string => formatCompact(compactTarget(1n << bits));
export const powParameters: PowParameters = {
  intervalMs: 1000,
  windowBlocks: 4,
  // 16 hashes a block.
  target: compact(252n),
  easiestTarget: compact(253n),
  hardestTarget: compact(250n),
  futureMs: 10_000,
};

/** A header that has its work, on a tip. */
export function minedHeader(
  tip: ChainTip,
  { miner, ...content }: { merkleRoot: string; miner: string; timestamp: number },
  changes: Partial<Header> = {},
): Uint8Array {
  const header: Header = {
    ...content,
    version: 1,
    height: tip.height + 1,
    previous: tip.hash,
    miner: minerId(miner),
    target: parseCompact((tip.state as PowState).target),
    nonce: 0n,
    ...changes,
  };
  const target = expandTarget(header.target) ?? 0n;
  for (let nonce = 0n; ; nonce++) {
    const bytes = encodeHeader({ ...header, nonce });
    // What is no target cannot be reached.
    if (target === 0n || BigInt(`0x${headerHash(bytes)}`) < target) return bytes;
  }
}

export class SealingChannel {
  readonly ledger = new MemoryLedger();
  readonly agents: Identity[] = [];
  #entries = 0;

  static async create(institutions = 2): Promise<SealingChannel> {
    const channel = new SealingChannel();
    const mspIds = Array.from({ length: institutions }, (_, i) => `Hospital${i + 1}MSP`);
    for (const mspId of mspIds) channel.agents.push(await identity(mspId, 'agent', 'institution'));
    const sealingKey = Buffer.from((await generateSealingKeyPair()).publicKey).toString('base64');
    await channel.ledger.call(
      consortium.InstitutionContract.Found,
      { members: mspIds.map((mspId) => ({ mspId, level: 'municipal' as const })), rule: 'majority' },
      { identity: channel.agents[0]! },
    );
    for (const agent of channel.agents)
      await channel.ledger.call(
        consortium.InstitutionContract.Enroll,
        { name: agent.mspId, signingKey: signingKeys().pem, sealingKey },
        { identity: agent },
      );
    return channel;
  }

  choose(parameters: PowParameters = powParameters, depth = 1) {
    return this.ledger.call(
      privateRecords.EndorsementContract.Choose,
      { scheme: 'pow', parameters, depth },
      { identity: this.agents[0]! },
      CHANNEL,
    );
  }

  /** A record batch enters; what a block says of it is returned. */
  async enter(by = 0): Promise<SealedItem> {
    const n = ++this.#entries;
    const columns = { _row: n.toString(16).padStart(64, '0') };
    await this.ledger.call(
      privateRecords.RecordsContract.SubmitBatch,
      {
        batchId: `batch-${n}`,
        datasetId: 'ist',
        epochId: 'epoch-1',
        manifestHash: '0'.repeat(64),
        merkleRoot: batchMerkleRoot(columns),
        rows: 1,
        columns,
        provenance: PROVENANCE,
      },
      { identity: this.agents[by]! },
      CHANNEL,
    );
    const id = `${this.agents[by]!.mspId}/ist/batch-${n}`;
    const { item } = await this.read(privateRecords.EndorsementContract.Sharing, { kind: 'batch', id });
    return { kind: item.kind, id: item.id, digest: item.digest };
  }

  read<D extends TransactionDefinition>(definition: D, request: RequestOf<D>) {
    return this.ledger.call(definition, request, { identity: this.agents[0]! }, CHANNEL);
  }

  tip(): Promise<ChainTip> {
    return this.read(privateRecords.EndorsementContract.Tip, {});
  }

  /** A header that has its work, as the chain asks for it but for the changes. */
  async work(batch: readonly SealedItem[], changes: Partial<Header> = {}, by = 0): Promise<Uint8Array> {
    const { mspId } = this.agents[by]!;
    const timestamp = (this.ledger.now += 1000);
    return minedHeader(await this.tip(), { merkleRoot: sealedRoot(batch), miner: mspId, timestamp }, changes);
  }

  seal(proof: Uint8Array, batch: readonly SealedItem[], by = 0) {
    return this.ledger.call(...this.#sealing(proof, batch, by));
  }

  simulateSeal(proof: Uint8Array, batch: readonly SealedItem[], by = 0) {
    return this.ledger.simulate(...this.#sealing(proof, batch, by));
  }

  #sealing(proof: Uint8Array, batch: readonly SealedItem[], by: number) {
    const request = { proof: Buffer.from(proof).toString('base64'), batch: [...batch] };
    const call = { identity: this.agents[by]! };
    return [privateRecords.EndorsementContract.Seal, request, call, CHANNEL] as const;
  }
}
