import { randomBytes } from 'node:crypto';
import type { common } from '@hyperledger/fabric-protos';
import { StatusCode } from '@hyperledger/fabric-gateway';
import type { Bed } from '../harness/bed.js';
import { majorityOfPeers, shared } from '../harness/layout.js';
import { type Credentials, serializedIdentity } from '../harness/pki.js';
import { alterTransaction, signEnvelope } from '../harness/transaction.js';

const { VALID } = StatusCode;

/** Transactions that come again, under another id, by another member or to another channel. */
export function replay(bed: () => Bed): void {
  let user: Credentials;
  beforeAll(() => {
    user = bed().pki.user('Org1MSP');
  });

  it('refuses a second commit of a transaction', async () => {
    const key = bed().unique('once');
    const { txId, envelope } = await bed()
      .raw()
      .prepare({ creator: user, channel: shared, chaincode: 'everything', args: ['increment', key] });
    await signEnvelope(envelope, user);
    await expect(bed().raw().commit({ txId, envelope }, shared, user)).resolves.toBe(VALID);
    const first = await bed().raw().commitStatus(txId, shared, user);
    await bed().raw().submit(txId, shared, envelope);
    const codes = await codesInBlocks(txId, first.block, 2);
    expect(codes).toEqual([VALID, StatusCode.DUPLICATE_TXID]);
    await expect(bed().evaluate('get', key)).resolves.toBe('1');
    await expect(bed().raw().commitStatus(txId, shared, user)).resolves.toEqual(first);
  });

  it('refuses the same transaction twice in one block', async () => {
    const key = bed().unique('twice');
    const { txId, envelope } = await bed()
      .raw()
      .prepare({ creator: user, channel: shared, chaincode: 'everything', args: ['put', key, 'x'] });
    await signEnvelope(envelope, user);
    await bed().raw().submit(txId, shared, envelope);
    await bed().raw().submit(txId, shared, envelope);
    await bed().raw().commitStatus(txId, shared, user);
    await bed().submit('put', bed().unique('later'), 'x');
    await expect(bed().query('Queries:history', key)).resolves.toHaveLength(1);
  });

  it('refuses a transaction whose id is not that of its nonce and creator', async () => {
    const { envelope } = await honest();
    const txId = randomBytes(32).toString('hex');
    const altered = alterTransaction(envelope, ({ channelHeader }) => channelHeader.setTxId(txId));
    await expect(codeInBlocks(txId, altered)).resolves.toBe(StatusCode.BAD_PROPOSAL_TXID);
  });

  it('refuses a transaction that another member signs as its own', async () => {
    const { txId, envelope } = await honest();
    const other = bed().pki.user('Org2MSP');
    const altered = alterTransaction(envelope, ({ signatureHeader }) =>
      signatureHeader.setCreator(serializedIdentity(other)),
    );
    await expect(codeInBlocks(txId, altered, other)).resolves.toBe(StatusCode.BAD_PROPOSAL_TXID);
  });

  it('refuses a transaction that was endorsed for another channel', async () => {
    const { txId, envelope } = await honest();
    const altered = alterTransaction(envelope, ({ channelHeader }) =>
      channelHeader.setChannelId(majorityOfPeers),
    );
    const code = await bed().raw().commit({ txId, envelope: altered }, majorityOfPeers, user);
    expect(code).toBe(StatusCode.INVALID_ENDORSER_TRANSACTION);
  });

  const honest = (): Promise<{ txId: string; envelope: common.Envelope }> =>
    bed()
      .raw()
      .prepare({
        creator: user,
        channel: shared,
        chaincode: 'everything',
        args: ['put', bed().unique('honest'), 'x'],
      });

  /** Submits a transaction that is not found by its id, and reads its code in the block. */
  async function codeInBlocks(
    txId: string,
    envelope: common.Envelope,
    signer: Credentials = user,
  ): Promise<number | undefined> {
    const before = await bed()
      .contract()
      .submitAsync('put', { arguments: [bed().unique('before'), 'x'] });
    const { blockNumber } = await before.getStatus();
    await bed()
      .raw()
      .submit(txId, shared, await signEnvelope(envelope, signer));
    const [code] = await codesInBlocks(txId, Number(blockNumber), 1);
    return code;
  }

  /** The codes of all transactions with an id, from a block on until there are as many. */
  async function codesInBlocks(txId: string, startBlock: number, count: number): Promise<number[]> {
    const blocks = await bed()
      .network()
      .getFilteredBlockEvents({ startBlock: BigInt(startBlock) });
    const codes: number[] = [];
    for await (const block of blocks) {
      for (const transaction of block.getFilteredTransactionsList())
        if (transaction.getTxid() === txId) codes.push(transaction.getTxValidationCode());
      if (codes.length >= count) break;
    }
    blocks.close();
    return codes;
  }
}
