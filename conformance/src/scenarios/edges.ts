import { status } from '@grpc/grpc-js';
import { common, orderer } from '@hyperledger/fabric-protos';
import { type Bed, text } from '../harness/bed.js';
import type { Release } from '../harness/release.js';
import { channelHeaders } from '../harness/blocks.js';
import { failure } from '../harness/failure.js';
import { chaincodes, confined, shared } from '../harness/layout.js';
import type { Credentials } from '../harness/pki.js';
import { buildProposal, type ProposalParts, signProposal } from '../harness/proposal.js';
import { position, seekEnvelope } from '../harness/rawGateway.js';
import { signEnvelope } from '../harness/transaction.js';

/** Values, keys and messages at the edge of what is allowed. */
export function edges(bed: () => Bed, { sinceFabric3 }: Release): void {
  let user: Credentials;
  beforeAll(() => {
    user = bed().pki.user('Org1MSP');
  });

  const parts = (more: Partial<ProposalParts> = {}): ProposalParts => ({
    creator: user,
    channel: shared,
    chaincode: 'everything',
    args: ['put', bed().unique('edge'), 'x'],
    ...more,
  });

  it('deletes a key by writing nothing to it', async () => {
    const prefix = bed().unique('emptied');
    await bed().submit('putMany', `${prefix}/`, '2', 'v');
    await bed().submit('put', `${prefix}/0000`, '');
    await expect(bed().query('Queries:keys', `${prefix}/`, `${prefix}0`)).resolves.toEqual([
      `${prefix}/0001`,
    ]);
  });

  it('deletes a key that is not there', async () => {
    const key = bed().unique('never');
    await expect(bed().code('del', { arguments: [key] })).resolves.toBe(0);
    const history = (await bed().query('Queries:history', key)) as { isDelete: boolean }[];
    expect(history.map(({ isDelete }) => isDelete)).toEqual([true]);
  });

  it('counts the deletion of nothing as a change within a block', async () => {
    const [from, to] = [bed().unique('never'), bed().unique('to')];
    await expect(bed().race(['del', from], ['copy', from, to])).resolves.toEqual([0, 11]);
  });

  it('does not count the deletion of nothing as a change in a block before', async () => {
    const [from, to] = [bed().unique('never'), bed().unique('to')];
    const endorsed = await bed()
      .contract()
      .newProposal('copy', { arguments: [from, to] })
      .endorse();
    await bed().submit('del', from);
    await expect((await endorsed.submit()).getStatus()).resolves.toMatchObject({ code: 0 });
  });

  it('gives no policy to a key that is not there', async () => {
    const key = bed().unique('nothing');
    await expect(bed().code('setPolicy', { arguments: [key, '["Org3MSP"]', 'PEER'] })).resolves.toBe(0);
    await expect(bed().query('policyOf', key)).resolves.toEqual([]);
  });

  it('does not tell of policies in the history of a key', async () => {
    const key = bed().unique('story');
    await bed().submit('put', key, 'one');
    await bed().submit('setPolicy', key, '["Org1MSP"]', 'PEER');
    await expect(bed().query('Queries:history', key)).resolves.toHaveLength(1);
  });

  it('takes a policy of members, which peers are', async () => {
    const key = bed().unique('members');
    await bed().submit('put', key, 'x');
    await bed().submit('setPolicy', key, '["Org3MSP"]', 'MEMBER');
    await expect(
      bed().code('put', { arguments: [key, 'y'], endorsingOrganizations: ['Org3MSP'] }),
    ).resolves.toBe(0);
    await expect(
      bed().code('put', { arguments: [key, 'z'], endorsingOrganizations: ['Org1MSP', 'Org2MSP'] }),
    ).resolves.toBe(10);
  });

  it('takes a key of 4 KB', async () => {
    const key = bed().unique('k').padEnd(4096, 'k');
    await bed().submit('put', key, 'long');
    await expect(bed().evaluate('get', key)).resolves.toBe('long');
  });

  it('finds nothing behind a bookmark beyond the range', async () => {
    const prefix = bed().unique('marked');
    await bed().submit('putMany', `${prefix}/`, '3', 'v');
    await expect(bed().query('Queries:page', `${prefix}/`, `${prefix}0`, '2', `${prefix}1`)).resolves.toEqual(
      { found: [] },
    );
  });

  it('delivers an event without a payload', async () => {
    const name = bed().unique('bare');
    const commit = await bed()
      .contract()
      .submitAsync('Calls:emit', { arguments: [name, ''] });
    const { blockNumber } = await commit.getStatus();
    const session = await bed().network().getChaincodeEvents('everything', { startBlock: blockNumber });
    for await (const event of session) {
      expect(event).toMatchObject({ eventName: name, transactionId: commit.getTransactionId() });
      expect(event.payload).toHaveLength(0);
      break;
    }
    session.close();
  });

  it('tells which organisation has not the chaincode that is asked to endorse', async () => {
    const proposal = bed()
      .contract(chaincodes.onlyOrg1)
      .newProposal('put', { arguments: ['a', 'b'], endorsingOrganizations: ['Org1MSP', 'Org2MSP'] });
    await expect(failure(proposal.endorse())).resolves.toEqual({
      code: status.UNAVAILABLE,
      text: 'failed to find any endorsing peers for org(s): Org2MSP',
      details: [],
    });
  });

  it('endorses by organisations in any order', async () => {
    await expect(
      bed().code('put', {
        arguments: [bed().unique('order'), 'x'],
        endorsingOrganizations: ['Org3MSP', 'Org1MSP'],
      }),
    ).resolves.toBe(0);
  });

  it('wants a channel in a proposal', async () => {
    const proposal = buildProposal(parts({ channel: '' }));
    const refused = await failure(
      bed()
        .raw()
        .endorse(proposal, await signProposal(proposal, user), ''),
    );
    expect(refused.code).toBe(status.FAILED_PRECONDITION);
  });

  it('wants the name of a chaincode in a proposal', async () => {
    const proposal = buildProposal(parts({ chaincode: '' }));
    const refused = await failure(
      bed()
        .raw()
        .endorse(proposal, await signProposal(proposal, user), shared),
    );
    expect(refused).toEqual({
      code: status.FAILED_PRECONDITION,
      text: 'no combination of peers can be derived which satisfy the endorsement policy: No metadata was found for chaincode  in channel shared',
      details: [],
    });
  });

  sinceFabric3('timeWindow')('wants a moment in a proposal', async () => {
    const proposal = buildProposal(parts({ timestamp: null }));
    const refused = await failure(
      bed()
        .raw()
        .endorse(proposal, await signProposal(proposal, user), shared),
    );
    expect(refused.code).toBe(status.ABORTED);
    expect(refused.details[0]?.message).toContain('timestamp');
  });

  it('calls the chaincode that the header of a proposal names', async () => {
    const key = bed().unique('named');
    const proposal = buildProposal(parts({ headerChaincode: 'nested', args: ['put', key, 'x'] }));
    const envelope = await bed()
      .raw()
      .endorse(proposal, await signProposal(proposal, user), shared, ['Org3MSP']);
    await bed().raw().commit({ txId: proposal.txId, envelope }, shared, user);
    expect(text(await bed().contract(chaincodes.nested).evaluateTransaction('get', key))).toBe('x');
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('answers an endorser without a gateway', async () => {
    const proposal = buildProposal(parts({ args: ['Identity:peer'] }));
    const answer = await bed()
      .raw('Org3MSP')
      .processProposal(await signProposal(proposal, user));
    expect(answer.getResponse()?.getStatus()).toBe(200);
    expect(text(answer.getResponse()?.getPayload_asU8() ?? new Uint8Array())).toBe('Org3MSP');
    expect(Buffer.from(answer.getEndorsement()?.getEndorser_asU8() ?? []).toString()).toContain('Org3MSP');
  });

  it('gives no endorsement to a failed proposal', async () => {
    const proposal = buildProposal(parts({ args: ['Behaviour:fail', 'no'] }));
    const answer = await bed()
      .raw()
      .processProposal(await signProposal(proposal, user));
    expect(answer.getResponse()?.getStatus()).toBe(500);
    expect(answer.getResponse()?.getMessage()).toBe('no');
    expect(answer.getEndorsement()).toBeUndefined();
  });

  it('tells an endorser that is not on the channel', async () => {
    const proposal = buildProposal(parts({ channel: confined, chaincode: 'confined' }));
    const answer = await bed()
      .raw('Org2MSP')
      .processProposal(await signProposal(proposal, user));
    expect(answer.getResponse()?.getStatus()).toBe(500);
    expect(answer.getResponse()?.getMessage()).toBe(`channel '${confined}' not found`);
  });

  it('tells an endorser that has not the chaincode', async () => {
    const proposal = buildProposal(parts({ chaincode: 'missing' }));
    const answer = await bed()
      .raw()
      .processProposal(await signProposal(proposal, user));
    expect(answer.getResponse()?.getStatus()).toBe(500);
    expect(answer.getResponse()?.getMessage()).toBe(
      'make sure the chaincode missing has been successfully defined on channel shared and try again: chaincode missing not found',
    );
  });

  it('refuses a transaction that is none', async () => {
    const envelope = new common.Envelope();
    envelope.setPayload(Buffer.from('nonsense'));
    await signEnvelope(envelope, user);
    const refused = await failure(bed().raw().submit('x', shared, envelope));
    expect(refused.code).toBe(status.ABORTED);
    expect(refused.text).toContain('received unsuccessful response from orderer: status=BAD_REQUEST, info=');
  });

  it('delivers the next block that is committed', async () => {
    const seek = { start: position.next(), stop: position.at(1_000_000) };
    const client = bed().dial('Org1MSP');
    const stream = client.makeBidiStreamRequest(
      '/protos.Deliver/DeliverFiltered',
      (message: common.Envelope) => Buffer.from(message.serializeBinary()),
      (bytes: Buffer) => bytes,
    );
    const first = new Promise((resolve, reject) => {
      stream.once('data', resolve);
      stream.once('error', reject);
    });
    stream.write(await seekEnvelope(shared, user, seek));
    // Whichever block comes while the request is on its way, one comes after it.
    const writes = setInterval(
      () =>
        void bed()
          .submit('put', 'next', 'x')
          .catch(() => undefined),
      100,
    );
    await expect(first).resolves.toBeInstanceOf(Buffer);
    clearInterval(writes);
    stream.once('error', () => undefined);
    stream.cancel();
    client.close();
  });

  sinceFabric3('contentOfBlocks')('delivers headers and signatures alone', async () => {
    await bed().submit('put', bed().unique('header'), 'x');
    const answers = await bed()
      .raw()
      .deliver(
        await seekEnvelope(shared, user, {
          start: position.newest(),
          stop: position.newest(),
          contentType: orderer.SeekInfo.SeekContentType.HEADER_WITH_SIG,
        }),
      );
    const block = answers[0]?.getBlock() ?? new common.Block();
    expect(block.getHeader()?.getDataHash_asU8()).toHaveLength(32);
    expect(channelHeaders(block)).toEqual([]);
  });

  it('lists the configuration in the filtered first block', async () => {
    const blocks = await bed().network().getFilteredBlockEvents({ startBlock: 0n });
    for await (const block of blocks) {
      const [first] = block.getFilteredTransactionsList();
      expect(first?.getType()).toBe(common.HeaderType.CONFIG);
      expect(first?.getTxValidationCode()).toBe(0);
      break;
    }
    blocks.close();
  });
}
