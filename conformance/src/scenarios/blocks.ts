import { verify } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { checkpointers, type CloseableAsyncIterable } from '@hyperledger/fabric-gateway';
import { common, msp, orderer, peer } from '@hyperledger/fabric-protos';
import { type Bed } from '../harness/bed.js';
import {
  channelHeaders,
  dataHash,
  headerBytesOf,
  headerHash,
  headerOf,
  hex,
  validationCodes,
} from '../harness/blocks.js';
import { failure } from '../harness/failure.js';
import { confined, shared } from '../harness/layout.js';
import { impostor } from '../harness/pki.js';
import { position, seekEnvelope } from '../harness/rawGateway.js';

const { Status } = common;

async function take<T>(blocks: CloseableAsyncIterable<T>, count: number): Promise<T[]> {
  const seen: T[] = [];
  try {
    for await (const block of blocks) {
      seen.push(block);
      if (seen.length === count) break;
    }
  } finally {
    blocks.close();
  }
  return seen;
}

/** Blocks: how they are linked, delivered and asked for. */
export function blocks(bed: () => Bed): void {
  async function commitOne(): Promise<{ block: bigint; txId: string }> {
    const commit = await bed()
      .contract()
      .submitAsync('put', { arguments: [bed().unique('block'), 'x'] });
    return { block: (await commit.getStatus()).blockNumber, txId: commit.getTransactionId() };
  }

  const blocksFrom = async (startBlock: bigint, count: number): Promise<common.Block[]> =>
    take(await bed().network().getBlockEvents({ startBlock }), count);

  it('delivers blocks from the first on', async () => {
    const found = await blocksFrom(0n, 4);
    expect(found.map((block) => headerOf(block).getNumber())).toEqual([0, 1, 2, 3]);
  });

  it('links each block to the one before', async () => {
    const found = await blocksFrom(0n, 6);
    found.slice(1).forEach((block, index) => {
      const before = found[index];
      expect(before && headerHash(headerOf(before))).toBe(hex(headerOf(block).getPreviousHash_asU8()));
    });
    expect(headerOf(found[0] ?? new common.Block()).getPreviousHash_asU8()).toHaveLength(0);
  });

  it('hashes the data of each block', async () => {
    for (const block of await blocksFrom(0n, 6))
      expect(hex(headerOf(block).getDataHash_asU8())).toBe(dataHash(block));
  });

  it("begins with the channel's configuration", async () => {
    const [first] = await blocksFrom(0n, 1);
    const [header, ...others] = channelHeaders(first ?? new common.Block());
    expect(others).toEqual([]);
    expect(header?.getType()).toBe(common.HeaderType.CONFIG);
    expect(header?.getChannelId()).toBe(shared);
  });

  it('holds a transaction as it was submitted, with its code', async () => {
    const { block: number, txId } = await commitOne();
    const [block] = await blocksFrom(number, 1);
    const headers = channelHeaders(block ?? new common.Block());
    const index = headers.findIndex((header) => header.getTxId() === txId);
    expect(headers[index]?.getType()).toBe(common.HeaderType.ENDORSER_TRANSACTION);
    expect(validationCodes(block ?? new common.Block())[index]).toBe(0);
  });

  it('keeps an invalid transaction, with its code', async () => {
    const endorsed = await bed()
      .contract()
      .newProposal('put', { arguments: [bed().unique('kept'), 'x'], endorsingOrganizations: ['Org1MSP'] })
      .endorse();
    const { blockNumber, code } = await (await endorsed.submit()).getStatus();
    expect(code).toBe(10);
    const [block] = await blocksFrom(blockNumber, 1);
    const index = channelHeaders(block ?? new common.Block()).findIndex(
      (header) => header.getTxId() === endorsed.getTransactionId(),
    );
    expect(validationCodes(block ?? new common.Block())[index]).toBe(10);
  });

  it("carries the orderer's signature", async () => {
    const { block: number } = await commitOne();
    const [block] = await blocksFrom(number, 1);
    const bytes = block?.getMetadata()?.getMetadataList_asU8()[0] ?? new Uint8Array();
    const [signature] = common.Metadata.deserializeBinary(bytes).getSignaturesList();
    const headerBytes = signature?.getSignatureHeader_asU8() ?? new Uint8Array();
    const header = common.SignatureHeader.deserializeBinary(headerBytes);
    const creator = msp.SerializedIdentity.deserializeBinary(header.getCreator_asU8());
    expect(creator.getMspid()).toBe('OrdererMSP');
    const value = common.Metadata.deserializeBinary(bytes).getValue_asU8();
    const signed = Buffer.concat([value, headerBytes, headerBytesOf(headerOf(block ?? new common.Block()))]);
    const key = Buffer.from(creator.getIdBytes_asU8());
    expect(verify('sha256', signed, key, signature?.getSignature_asU8() ?? key)).toBe(true);
  });

  it('delivers blocks that are committed later', async () => {
    const { block: number } = await commitOne();
    const later = blocksFrom(number + 1n, 1);
    await commitOne();
    const [block] = await later;
    expect(headerOf(block ?? new common.Block()).getNumber()).toBe(Number(number) + 1);
  });

  it('resumes after a checkpointed block', async () => {
    const checkpointer = checkpointers.inMemory();
    await checkpointer.checkpointBlock(2n);
    const [block] = await take(await bed().network().getBlockEvents({ checkpoint: checkpointer }), 1);
    expect(headerOf(block ?? new common.Block()).getNumber()).toBe(3);
  });

  it('delivers filtered blocks without contents', async () => {
    const { block: number, txId } = await commitOne();
    const filtered = await bed().network().getFilteredBlockEvents({ startBlock: number });
    const [block] = await take(filtered, 1);
    expect(block?.getChannelId()).toBe(shared);
    expect(block?.getNumber()).toBe(Number(number));
    const found = block?.getFilteredTransactionsList().find((transaction) => transaction.getTxid() === txId);
    expect(found?.getType()).toBe(common.HeaderType.ENDORSER_TRANSACTION);
    expect(found?.getTxValidationCode()).toBe(0);
  });

  it('names events in filtered blocks, but not their payload', async () => {
    const commit = await bed()
      .contract()
      .submitAsync('Calls:emit', { arguments: ['filtered', 'payload'] });
    const { blockNumber } = await commit.getStatus();
    const filtered = await bed().network().getFilteredBlockEvents({ startBlock: blockNumber });
    const [block] = await take(filtered, 1);
    const event = block
      ?.getFilteredTransactionsList()
      .find((transaction) => transaction.getTxid() === commit.getTransactionId())
      ?.getTransactionActions()
      ?.getChaincodeActionsList()[0]
      ?.getChaincodeEvent();
    expect(event?.getEventName()).toBe('filtered');
    expect(event?.getPayload_asU8()).toHaveLength(0);
  });

  it('delivers blocks with private data, of which there are none', async () => {
    const { block: number } = await commitOne();
    const both = await bed().network().getBlockAndPrivateDataEvents({ startBlock: number });
    const [block] = await take(both, 1);
    expect(block?.getBlock()?.getHeader()?.getNumber()).toBe(Number(number));
    expect(block?.getPrivateDataMapMap().getLength()).toBe(0);
  });

  it('delivers the same blocks from every peer', async () => {
    const { block: number, txId } = await commitOne();
    const hashes = await Promise.all(
      ['Org1MSP', 'Org2MSP', 'Org3MSP'].map(async (as) => {
        await bed().raw(as).commitStatus(txId, shared, bed().pki.user(as));
        const network = bed().network(shared, { as });
        const [block] = await take(await network.getBlockEvents({ startBlock: number }), 1);
        return headerHash(headerOf(block ?? new common.Block()));
      }),
    );
    expect(new Set(hashes).size).toBe(1);
  });

  it('keeps the channels apart', async () => {
    const [block] = await take(await bed().network(confined).getBlockEvents({ startBlock: 0n }), 1);
    expect(channelHeaders(block ?? new common.Block())[0]?.getChannelId()).toBe(confined);
  });

  describe('asked for one by one', () => {
    const statusOf = (answers: readonly peer.DeliverResponse[]): number | undefined =>
      answers.at(-1)?.getStatus();
    const numbersOf = (answers: readonly peer.DeliverResponse[]): (number | undefined)[] =>
      answers.slice(0, -1).map((answer) => answer.getBlock()?.getHeader()?.getNumber());

    const ask = async (
      seek: Parameters<typeof seekEnvelope>[2],
      channel: string = shared,
    ): Promise<peer.DeliverResponse[]> =>
      bed()
        .raw()
        .deliver(await seekEnvelope(channel, bed().pki.user('Org1MSP'), seek));

    it('delivers a part of the chain and says that this was all', async () => {
      const answers = await ask({ start: position.at(1), stop: position.at(3) });
      expect(numbersOf(answers)).toEqual([1, 2, 3]);
      expect(statusOf(answers)).toBe(Status.SUCCESS);
    });

    it('delivers the newest block', async () => {
      const answers = await ask({ start: position.newest(), stop: position.newest() });
      expect(answers).toHaveLength(2);
      expect(statusOf(answers)).toBe(Status.SUCCESS);
    });

    it('delivers the oldest block', async () => {
      const answers = await ask({ start: position.oldest(), stop: position.oldest() });
      expect(numbersOf(answers)).toEqual([0]);
    });

    it('does not wait for a block where told not to', async () => {
      const answers = await ask({
        start: position.newest(),
        stop: position.at(1_000_000),
        behavior: orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY,
      });
      expect(statusOf(answers)).toBe(Status.NOT_FOUND);
    });

    it('has no block far beyond the newest', async () => {
      const answers = await ask({ start: position.at(1_000_000), stop: position.at(1_000_001) });
      expect(answers.map((answer) => answer.getStatus())).toEqual([Status.NOT_FOUND]);
    });

    it('refuses an end before the start', async () => {
      const answers = await ask({ start: position.at(3), stop: position.at(1) });
      expect(answers.map((answer) => answer.getStatus())).toEqual([Status.BAD_REQUEST]);
    });

    it('knows no channel that is not there', async () => {
      const answers = await ask({ start: position.at(0), stop: position.at(0) }, 'absent');
      expect(answers.map((answer) => answer.getStatus())).toEqual([Status.NOT_FOUND]);
    });

    it('refuses a request that is 20 minutes old', async () => {
      const timestamp = new Date(Date.now() - 20 * 60_000);
      const answers = await ask({ start: position.at(0), stop: position.at(0), timestamp });
      expect(answers.map((answer) => answer.getStatus())).toEqual([Status.BAD_REQUEST]);
    });

    it('refuses an impostor', async () => {
      const stranger = await impostor('Org1MSP', 'client');
      const seek = { start: position.at(0), stop: position.at(0) };
      const answers = await bed()
        .raw()
        .deliver(await seekEnvelope(shared, stranger, seek));
      expect(answers.map((answer) => answer.getStatus())).toEqual([Status.FORBIDDEN]);
    });

    it('refuses an expired certificate', async () => {
      const day = 24 * 60 * 60_000;
      const expired = await bed().pki.issue('Org1MSP', 'expired reader', 'client', {
        notBefore: new Date(Date.now() - 2 * day),
        notAfter: new Date(Date.now() - day),
      });
      const seek = { start: position.at(0), stop: position.at(0) };
      const answers = await bed()
        .raw()
        .deliver(await seekEnvelope(shared, expired, seek));
      expect(answers.map((answer) => answer.getStatus())).toEqual([Status.FORBIDDEN]);
    });

    it('refuses an organisation that is not a member', async () => {
      const seek = { start: position.at(0), stop: position.at(0) };
      const answers = await bed()
        .raw()
        .deliver(await seekEnvelope(confined, bed().pki.user('Org2MSP'), seek));
      expect(answers.map((answer) => answer.getStatus())).toEqual([Status.FORBIDDEN]);
    });

    it('refuses the signature of another', async () => {
      const seek = { start: position.at(0), stop: position.at(0) };
      const [user, other] = [bed().pki.user('Org1MSP'), bed().pki.user('Org2MSP')];
      const answers = await bed()
        .raw()
        .deliver(await seekEnvelope(shared, user, seek, other));
      expect(answers.map((answer) => answer.getStatus())).toEqual([Status.FORBIDDEN]);
    });

    it('filters on request', async () => {
      const seek = { start: position.at(1), stop: position.at(1) };
      const answers = await bed()
        .raw()
        .deliver(await seekEnvelope(shared, bed().pki.user('Org1MSP'), seek), true);
      expect(answers[0]?.getFilteredBlock()?.getNumber()).toBe(1);
    });
  });

  describe('through qscc', () => {
    const qscc = (channel: string = shared) => bed().network(channel).getContract('qscc');

    it('tells the height and the newest hashes', async () => {
      const { block: number } = await commitOne();
      const info = common.BlockchainInfo.deserializeBinary(
        await qscc().evaluateTransaction('GetChainInfo', shared),
      );
      expect(info.getHeight()).toBeGreaterThan(Number(number));
      const [newest] = await blocksFrom(BigInt(info.getHeight() - 1), 1);
      expect(hex(info.getCurrentblockhash_asU8())).toBe(headerHash(headerOf(newest ?? new common.Block())));
      expect(hex(info.getPreviousblockhash_asU8())).toBe(
        hex(headerOf(newest ?? new common.Block()).getPreviousHash_asU8()),
      );
    });

    it('finds a block by number, by hash and by a transaction in it', async () => {
      const { block: number, txId } = await commitOne();
      const byNumber = common.Block.deserializeBinary(
        await qscc().evaluateTransaction('GetBlockByNumber', shared, String(number)),
      );
      const hash = headerHash(headerOf(byNumber));
      const byHash = common.Block.deserializeBinary(
        await qscc().evaluate('GetBlockByHash', { arguments: [shared, Buffer.from(hash, 'hex')] }),
      );
      const byTransaction = common.Block.deserializeBinary(
        await qscc().evaluateTransaction('GetBlockByTxID', shared, txId),
      );
      expect(headerOf(byNumber).getNumber()).toBe(Number(number));
      for (const block of [byHash, byTransaction]) expect(headerHash(headerOf(block))).toBe(hash);
    });

    it('finds a transaction with its code', async () => {
      const { txId } = await commitOne();
      const processed = peer.ProcessedTransaction.deserializeBinary(
        await qscc().evaluateTransaction('GetTransactionByID', shared, txId),
      );
      expect(processed.getValidationcode()).toBe(0);
      expect(processed.getTransactionenvelope()?.getSignature_asU8().length).toBeGreaterThan(60);
    });

    it('finds an invalid transaction as well', async () => {
      const endorsed = await bed()
        .contract()
        .newProposal('put', { arguments: [bed().unique('k'), 'x'], endorsingOrganizations: ['Org1MSP'] })
        .endorse();
      await (await endorsed.submit()).getStatus();
      const processed = peer.ProcessedTransaction.deserializeBinary(
        await qscc().evaluateTransaction('GetTransactionByID', shared, endorsed.getTransactionId()),
      );
      expect(processed.getValidationcode()).toBe(10);
    });

    it('knows no transaction that was never committed', async () => {
      const refused = await failure(qscc().evaluateTransaction('GetTransactionByID', shared, 'ab'));
      expect(refused.code).toBe(status.UNKNOWN);
      expect(refused.text).toContain('Failed to get transaction with id ab');
      expect(refused.text).toContain('no such transaction ID [ab] in index');
    });

    it('knows no block that is not there', async () => {
      const refused = await failure(qscc().evaluateTransaction('GetBlockByNumber', shared, '1000000'));
      expect(refused.code).toBe(status.UNKNOWN);
      expect(refused.text).toContain('Failed to get block number 1000000');
    });

    it('knows no other function', async () => {
      const refused = await failure(qscc().evaluateTransaction('GetNonsense', shared, 'x'));
      expect(refused.code).toBe(status.UNKNOWN);
      expect(refused.text).toBe(
        'evaluate call to endorser returned error: chaincode response 500, access denied for [GetNonsense][shared]: [Unmapped policy for qscc/GetNonsense]',
      );
    });

    it('tells nothing of a channel to those who are not members', async () => {
      const theirs = bed().network(shared, { as: 'Org2MSP', via: 'Org1MSP' }).getContract('qscc');
      const refused = await failure(theirs.evaluateTransaction('GetChainInfo', confined));
      expect(refused.code).toBe(status.UNKNOWN);
      expect(refused.text).toContain(`access denied for [GetChainInfo][${confined}]`);
    });
  });
}
