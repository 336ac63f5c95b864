import { status } from '@grpc/grpc-js';
import { common, peer } from '@hyperledger/fabric-protos';
import { type Bed } from '../harness/bed.js';
import { headerHash, headerOf, hex } from '../harness/blocks.js';
import { failure } from '../harness/failure.js';
import { confined, shared } from '../harness/layout.js';
import { blocksFrom, commitOne } from '../harness/reader.js';

/** The system chaincode that tools ask for blocks and transactions. */
export function qscc(bed: () => Bed): void {
  const chain = (channel: string = shared) => bed().network(channel).getContract('qscc');

  it('tells the height and the newest hashes', async () => {
    const { block: number } = await commitOne(bed());
    const info = common.BlockchainInfo.deserializeBinary(
      await chain().evaluateTransaction('GetChainInfo', shared),
    );
    expect(info.getHeight()).toBeGreaterThan(Number(number));
    const [newest] = await blocksFrom(bed(), BigInt(info.getHeight() - 1), 1);
    expect(hex(info.getCurrentblockhash_asU8())).toBe(headerHash(headerOf(newest ?? new common.Block())));
    expect(hex(info.getPreviousblockhash_asU8())).toBe(
      hex(headerOf(newest ?? new common.Block()).getPreviousHash_asU8()),
    );
  });

  it('finds a block by number, by hash and by a transaction in it', async () => {
    const { block: number, txId } = await commitOne(bed());
    const byNumber = common.Block.deserializeBinary(
      await chain().evaluateTransaction('GetBlockByNumber', shared, String(number)),
    );
    const hash = headerHash(headerOf(byNumber));
    const byHash = common.Block.deserializeBinary(
      await chain().evaluate('GetBlockByHash', { arguments: [shared, Buffer.from(hash, 'hex')] }),
    );
    const byTransaction = common.Block.deserializeBinary(
      await chain().evaluateTransaction('GetBlockByTxID', shared, txId),
    );
    expect(headerOf(byNumber).getNumber()).toBe(Number(number));
    for (const block of [byHash, byTransaction]) expect(headerHash(headerOf(block))).toBe(hash);
  });

  it('finds a transaction with its code', async () => {
    const { txId } = await commitOne(bed());
    const processed = peer.ProcessedTransaction.deserializeBinary(
      await chain().evaluateTransaction('GetTransactionByID', shared, txId),
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
      await chain().evaluateTransaction('GetTransactionByID', shared, endorsed.getTransactionId()),
    );
    expect(processed.getValidationcode()).toBe(10);
  });

  it('knows no transaction that was never committed', async () => {
    const refused = await failure(chain().evaluateTransaction('GetTransactionByID', shared, 'ab'));
    expect(refused.code).toBe(status.UNKNOWN);
    expect(refused.text).toContain('Failed to get transaction with id ab');
    expect(refused.text).toContain('no such transaction ID [ab] in index');
  });

  it('knows no block that is not there', async () => {
    const refused = await failure(chain().evaluateTransaction('GetBlockByNumber', shared, '1000000'));
    expect(refused.code).toBe(status.UNKNOWN);
    expect(refused.text).toContain('Failed to get block number 1000000');
  });

  it('knows no other function', async () => {
    const refused = await failure(chain().evaluateTransaction('GetNonsense', shared, 'x'));
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
}
