import { verify } from 'node:crypto';
import { checkpointers } from '@hyperledger/fabric-gateway';
import { common, msp } from '@hyperledger/fabric-protos';
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
import { confined, shared } from '../harness/layout.js';
import { blocksFrom, commitOne, take } from '../harness/reader.js';

/** Blocks: how they are linked, what they hold, and how the client library reads them. */
export function blocks(bed: () => Bed): void {
  it('delivers blocks from the first on', async () => {
    const found = await blocksFrom(bed(), 0n, 4);
    expect(found.map((block) => headerOf(block).getNumber())).toEqual([0, 1, 2, 3]);
  });

  it('links each block to the one before', async () => {
    const found = await blocksFrom(bed(), 0n, 6);
    found.slice(1).forEach((block, index) => {
      const before = found[index];
      expect(before && headerHash(headerOf(before))).toBe(hex(headerOf(block).getPreviousHash_asU8()));
    });
    expect(headerOf(found[0] ?? new common.Block()).getPreviousHash_asU8()).toHaveLength(0);
  });

  it('hashes the data of each block', async () => {
    for (const block of await blocksFrom(bed(), 0n, 6))
      expect(hex(headerOf(block).getDataHash_asU8())).toBe(dataHash(block));
  });

  it("begins with the channel's configuration", async () => {
    const [first] = await blocksFrom(bed(), 0n, 1);
    const [header, ...others] = channelHeaders(first ?? new common.Block());
    expect(others).toEqual([]);
    expect(header?.getType()).toBe(common.HeaderType.CONFIG);
    expect(header?.getChannelId()).toBe(shared);
  });

  it('holds a transaction as it was submitted, with its code', async () => {
    const { block: number, txId } = await commitOne(bed());
    const [block] = await blocksFrom(bed(), number, 1);
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
    const [block] = await blocksFrom(bed(), blockNumber, 1);
    const index = channelHeaders(block ?? new common.Block()).findIndex(
      (header) => header.getTxId() === endorsed.getTransactionId(),
    );
    expect(validationCodes(block ?? new common.Block())[index]).toBe(10);
  });

  it("carries the orderer's signature", async () => {
    const { block: number } = await commitOne(bed());
    const [block] = await blocksFrom(bed(), number, 1);
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
    const { block: number } = await commitOne(bed());
    const later = blocksFrom(bed(), number + 1n, 1);
    await commitOne(bed());
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
    const { block: number, txId } = await commitOne(bed());
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
    const { block: number } = await commitOne(bed());
    const both = await bed().network().getBlockAndPrivateDataEvents({ startBlock: number });
    const [block] = await take(both, 1);
    expect(block?.getBlock()?.getHeader()?.getNumber()).toBe(Number(number));
    expect(block?.getPrivateDataMapMap().getLength()).toBe(0);
  });

  it('delivers the same blocks from every peer', async () => {
    const { block: number, txId } = await commitOne(bed());
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
}
