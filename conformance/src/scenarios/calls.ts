import { status } from '@grpc/grpc-js';
import { type Bed, text } from '../harness/bed.js';
import { failure } from '../harness/failure.js';
import { chaincodes, confined, shared } from '../harness/layout.js';
import { unpackTransaction } from '../harness/transaction.js';

/** Chaincode that calls chaincode. */
export function calls(bed: () => Bed): void {
  const callArguments = (chaincode: string, channel: string, ...args: string[]): string[] => [
    chaincode,
    channel,
    JSON.stringify(args),
  ];

  it('reads from another chaincode of the channel', async () => {
    const key = bed().unique('theirs');
    await bed().contract(chaincodes.neighbour).submitTransaction('put', key, 'next door');
    const answer = await bed().query('Calls:call', ...callArguments('neighbour', shared, 'get', key));
    expect(answer).toEqual({ status: 200, payload: 'next door' });
  });

  it('means the own channel where none is named', async () => {
    const key = bed().unique('theirs');
    await bed().contract(chaincodes.neighbour).submitTransaction('put', key, 'next door');
    const answer = await bed().query('Calls:call', ...callArguments('neighbour', '', 'get', key));
    expect(answer).toEqual({ status: 200, payload: 'next door' });
  });

  it('writes through another chaincode in its namespace', async () => {
    const key = bed().unique('written');
    await bed().submit('Calls:call', ...callArguments('neighbour', '', 'put', key, 'from next door'));
    const there = await bed().contract(chaincodes.neighbour).evaluateTransaction('get', key);
    expect(text(there)).toBe('from next door');
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('needs the endorsements of both policies', async () => {
    const { envelope } = await bed()
      .raw()
      .prepare({
        creator: bed().pki.user('Org1MSP'),
        channel: shared,
        chaincode: 'everything',
        args: ['Calls:call', ...callArguments('neighbour', '', 'put', bed().unique('both'), 'x')],
      });
    const endorsers = unpackTransaction(envelope).endorsed.getEndorsementsList();
    const names = endorsers.map((endorsement) => text(endorsement.getEndorser_asU8()));
    for (const mspId of ['Org2MSP', 'Org3MSP']) expect(names.some((name) => name.includes(mspId))).toBe(true);
  });

  it("refuses a transaction that lacks the called chaincode's policy", async () => {
    const args = callArguments('neighbour', '', 'put', bed().unique('half'), 'x');
    await expect(
      bed().code('Calls:call', { arguments: args, endorsingOrganizations: ['Org1MSP', 'Org2MSP'] }),
    ).resolves.toBe(10);
  });

  it('is known to the called chaincode by the same identity and transaction', async () => {
    const proposal = bed()
      .contract()
      .newProposal('Calls:call', { arguments: callArguments('neighbour', '', 'Identity:who') });
    const answer = JSON.parse(text(await proposal.evaluate())) as { payload: string };
    expect(JSON.parse(answer.payload)).toMatchObject({
      mspId: 'Org1MSP',
      txId: proposal.getTransactionId(),
      channel: shared,
    });
  });

  it('conflicts with changes of what the called chaincode read', async () => {
    const [theirs, own] = [bed().unique('theirs'), bed().unique('own')];
    const neighbour = bed().contract(chaincodes.neighbour);
    await neighbour.submitTransaction('put', theirs, 'old');
    const endorsed = await bed()
      .contract()
      .newProposal('Calls:callAndPut', { arguments: [...callArguments('neighbour', '', 'get', theirs), own] })
      .endorse();
    await neighbour.submitTransaction('put', theirs, 'new');
    const { code } = await (await endorsed.submit()).getStatus();
    expect(code).toBe(11);
  });

  it.each([
    ['itself', 'everything'],
    ['another one of its package', 'nested'],
  ])('cannot call %s, whose process is busy with the transaction', async (_, chaincode) => {
    const proposal = bed()
      .contract()
      .newProposal('Calls:call', { arguments: callArguments(chaincode, '', 'get', 'a') });
    const txId = proposal.getTransactionId();
    await expect(failure(proposal.evaluate())).resolves.toMatchObject({
      code: status.UNKNOWN,
      text:
        'evaluate call to endorser returned error: chaincode response 500, INVOKE_CHAINCODE failed: ' +
        `transaction ID: ${txId}: execute failed: error sending: txid: ${txId}(shared) exists`,
    });
  });

  it('is told of a failure of the called chaincode and need not fail itself', async () => {
    const args = callArguments('neighbour', '', 'Behaviour:fail', 'not next door');
    await expect(bed().query('Calls:call', ...args)).resolves.toEqual({
      status: 500,
      message: 'not next door',
      payload: '',
    });
  });

  it('fails where the called chaincode is not deployed', async () => {
    const refused = await failure(bed().evaluate('Calls:call', ...callArguments('missing', '', 'get', 'a')));
    expect(refused.code).toBe(status.UNKNOWN);
    expect(refused.text).toContain('chaincode missing not found');
  });

  it('fails where the called chaincode is not installed on the peer', async () => {
    const contract = bed().contract(chaincodes.everything, { as: 'Org2MSP' });
    const refused = await failure(
      contract.evaluateTransaction('Calls:call', ...callArguments('only-org1', '', 'get', 'a')),
    );
    expect(refused.code).toBe(status.UNKNOWN);
  });

  describe('across channels', () => {
    it('reads where the peer is a member of both', async () => {
      const key = bed().unique('public');
      await bed().submit('put', key, 'yes');
      const local = bed().contract(chaincodes.confined);
      const answer = await local.evaluateTransaction(
        'Calls:call',
        ...callArguments('everything', shared, 'get', key),
      );
      expect(JSON.parse(text(answer))).toEqual({ status: 200, payload: 'yes' });
    });

    it('reads in the other direction as well', async () => {
      const key = bed().unique('private');
      await bed().contract(chaincodes.confined).submitTransaction('put', key, 'hidden');
      const answer = await bed().query('Calls:call', ...callArguments('confined', confined, 'get', key));
      expect(answer).toEqual({ status: 200, payload: 'hidden' });
    });

    it('writes nothing there', async () => {
      const key = bed().unique('outside');
      const local = bed().contract(chaincodes.confined);
      await local.submitTransaction('Calls:call', ...callArguments('everything', shared, 'put', key, 'x'));
      await expect(bed().evaluate('get', key)).resolves.toBe('');
    });

    it('keeps what it read out of the read set', async () => {
      const [theirs, own] = [bed().unique('theirs'), bed().unique('own')];
      await bed().submit('put', theirs, 'old');
      const local = bed().contract(chaincodes.confined);
      const endorsed = await local
        .newProposal('Calls:callAndPut', {
          arguments: [...callArguments('everything', shared, 'get', theirs), own],
        })
        .endorse();
      await bed().submit('put', theirs, 'new');
      await expect((await endorsed.submit()).getStatus()).resolves.toMatchObject({ code: 0 });
      expect(text(await local.evaluateTransaction('get', own))).toBe('old');
    });

    it('fails on a peer that is not a member there', async () => {
      const contract = bed().contract(chaincodes.everything, { as: 'Org2MSP' });
      const refused = await failure(
        contract.evaluateTransaction('Calls:call', ...callArguments('confined', confined, 'get', 'a')),
      );
      expect(refused.code).toBe(status.UNKNOWN);
      expect(refused.text).toContain(`Failed to get policy manager for channel [${confined}]`);
    });

    it('cannot be endorsed by peers that are not members there', async () => {
      const refused = await failure(
        bed().submit(
          'Calls:callAndPut',
          ...callArguments('confined', confined, 'get', 'a'),
          bed().unique('k'),
        ),
      );
      expect(refused).toMatchObject({
        code: status.ABORTED,
        text: 'failed to collect enough transaction endorsements, see attached details for more info',
      });
      expect(refused.details.map(({ mspId }) => mspId)).toEqual(['Org2MSP', 'Org3MSP']);
    });

    it('refuses a caller who is not a member there', async () => {
      const contract = bed().contract(chaincodes.everything, { as: 'Org2MSP', via: 'Org1MSP' });
      const refused = await failure(
        contract.evaluateTransaction('Calls:call', ...callArguments('confined', confined, 'get', 'a')),
      );
      expect(refused.code).toBe(status.UNKNOWN);
      expect(refused.text).toContain(confined);
    });

    it('fails where there is no such channel', async () => {
      const refused = await failure(
        bed().evaluate('Calls:call', ...callArguments('everything', 'absent', 'get', 'a')),
      );
      expect(refused.text).toContain('Failed to get policy manager for channel [absent]');
    });
  });
}
