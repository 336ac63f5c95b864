import { status } from '@grpc/grpc-js';
import { type Bed, text } from '../harness/bed.js';
import { failure } from '../harness/failure.js';
import { chaincodes, confined, hospitals } from '../harness/layout.js';

const endorseFailed = 'failed to endorse transaction, see attached details for more info';
const collectFailed = 'failed to collect enough transaction endorsements, see attached details for more info';
const noPlan = 'no combination of peers can be derived which satisfy the endorsement policy: ';

/** Asks again until there is an answer. */
async function eventually(ask: () => Promise<Uint8Array>): Promise<Buffer> {
  for (;;) {
    try {
      return Buffer.from(await ask());
    } catch {
      // Nothing tells a client when a chaincode is back.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** What clients are told when something goes wrong. */
export function errors(bed: () => Bed): void {
  const at = (mspId: string, message: string) => ({
    mspId,
    address: expect.stringMatching(new RegExp(`:${bed().address(mspId).split(':')[1]}$`)) as string,
    message,
  });

  it("gives an evaluation's error in the contract's words", async () => {
    await expect(failure(bed().evaluate('Behaviour:fail', 'not today'))).resolves.toEqual({
      code: status.UNKNOWN,
      text: 'evaluate call to endorser returned error: chaincode response 500, not today',
      details: [at('Org1MSP', 'chaincode response 500, not today')],
    });
  });

  it("gives a transaction's error in the contract's words, in the details", async () => {
    await expect(failure(bed().submit('Behaviour:fail', 'not today'))).resolves.toEqual({
      code: status.ABORTED,
      text: endorseFailed,
      details: [at('Org1MSP', 'chaincode response 500, not today')],
    });
  });

  it('leaves no trace of a transaction that threw', async () => {
    await failure(bed().submit('Behaviour:fail', 'no trace'));
    await expect(bed().evaluate('get', 'written before a failure')).resolves.toBe('');
  });

  it('commits a refusal that the contract writes', async () => {
    const key = bed().unique('refusal');
    const refusal = await bed().submit('Behaviour:refuse', key, 'purpose not covered');
    expect(JSON.parse(refusal)).toMatchObject({ status: 'REFUSED', code: 'NOT_ALLOWED' });
    await expect(bed().evaluate('get', key)).resolves.toBe(refusal);
  });

  it('counts the arguments', async () => {
    await expect(failure(bed().evaluate('put', 'alone'))).resolves.toMatchObject({
      code: status.UNKNOWN,
      text: 'evaluate call to endorser returned error: chaincode response 500, Expected 2 parameters, but 1 have been supplied',
    });
  });

  it('names a function that the contract has not', async () => {
    const message = "chaincode response 500, You've asked to invoke a function that does not exist: nonsense";
    await expect(failure(bed().evaluate('nonsense'))).resolves.toEqual({
      code: status.UNKNOWN,
      text: `evaluate call to endorser returned error: ${message}`,
      details: [at('Org1MSP', message)],
    });
    await expect(failure(bed().submit('nonsense'))).resolves.toEqual({
      code: status.ABORTED,
      text: endorseFailed,
      details: [at('Org1MSP', message)],
    });
  });

  it('names a contract that the chaincode has not', async () => {
    await expect(failure(bed().evaluate('Nowhere:get', 'a'))).resolves.toMatchObject({
      code: status.UNKNOWN,
      text: expect.stringContaining('Nowhere') as string,
    });
  });

  it('cannot evaluate a chaincode that is not deployed', async () => {
    const missing = bed().network().getContract('missing');
    await expect(failure(missing.evaluateTransaction('get', 'a'))).resolves.toEqual({
      code: status.FAILED_PRECONDITION,
      text: 'no peers available to evaluate chaincode missing in channel shared',
      details: [],
    });
  });

  it('cannot submit to a chaincode that is not deployed', async () => {
    const missing = bed().network().getContract('missing');
    await expect(failure(missing.submitTransaction('put', 'a', 'b'))).resolves.toEqual({
      code: status.FAILED_PRECONDITION,
      text: `${noPlan}No metadata was found for chaincode missing in channel shared`,
      details: [],
    });
  });

  it('cannot evaluate on a channel that is not there', async () => {
    const missing = bed().network('absent').getContract('everything');
    await expect(failure(missing.evaluateTransaction('get', 'a'))).resolves.toEqual({
      code: status.UNAVAILABLE,
      text: 'failed to get config for channel [absent]: could not get last config for channel absent',
      details: [],
    });
  });

  it('cannot submit on a channel that is not there', async () => {
    const missing = bed().network('absent').getContract('everything');
    await expect(failure(missing.submitTransaction('put', 'a', 'b'))).resolves.toEqual({
      code: status.FAILED_PRECONDITION,
      text: `${noPlan}No metadata was found for chaincode everything in channel absent`,
      details: [],
    });
  });

  it('cannot evaluate through a peer that is not on the channel', async () => {
    const outside = bed().network(confined, { as: 'Org2MSP' }).getContract('confined');
    await expect(failure(outside.evaluateTransaction('get', 'a'))).resolves.toEqual({
      code: status.UNAVAILABLE,
      text: 'failed to get config for channel [confined]: could not get last config for channel confined',
      details: [],
    });
  });

  it('shows which results did not match', async () => {
    const refused = await failure(bed().submit('Behaviour:random', bed().unique('random')));
    expect(refused).toMatchObject({ code: status.ABORTED, text: collectFailed });
    expect(refused.details.map(({ message }) => message)).toContain('ProposalResponsePayloads do not match');
    expect(refused.details.map(({ mspId }) => mspId)).not.toContain('Org1MSP');
  });

  it('compares results that are only returned, too', async () => {
    const refused = await failure(bed().submit('Behaviour:randomResult'));
    expect(refused).toMatchObject({ code: status.ABORTED, text: collectFailed });
  });

  it('gets along without an organisation that refuses', async () => {
    const key = bed().unique('one refuses');
    await expect(bed().submit('Behaviour:failAt', '["Org3MSP"]', key)).resolves.toBe('endorsed');
  });

  it('tells who refused where too few are left', async () => {
    const refused = await failure(
      bed().submit('Behaviour:failAt', '["Org2MSP","Org3MSP"]', bed().unique('two refuse')),
    );
    expect(refused).toEqual({
      code: status.ABORTED,
      text: collectFailed,
      details: [
        at('Org2MSP', 'chaincode response 500, Org2MSP refuses to endorse this'),
        at('Org3MSP', 'chaincode response 500, Org3MSP refuses to endorse this'),
      ],
    });
  });

  it('gives up where a policy needs the organisation that refuses', async () => {
    const contract = bed().contract(chaincodes.allThree);
    const refused = await failure(
      contract.submitTransaction('Behaviour:failAt', '["Org3MSP"]', bed().unique('all')),
    );
    expect(refused).toEqual({
      code: status.ABORTED,
      text: collectFailed,
      details: [at('Org3MSP', 'chaincode response 500, Org3MSP refuses to endorse this')],
    });
  });

  it('knows no peers of an organisation that runs none', async () => {
    const proposal = bed()
      .contract()
      .newProposal('put', { arguments: ['a', 'b'], endorsingOrganizations: ['Research1MSP'] });
    await expect(failure(proposal.endorse())).resolves.toEqual({
      code: status.UNAVAILABLE,
      text: 'failed to find any endorsing peers for org(s): Research1MSP',
      details: [],
    });
  });

  it('cannot evaluate on an organisation that runs no peer', async () => {
    const evaluation = bed()
      .contract()
      .evaluate('get', { arguments: ['a'], endorsingOrganizations: ['Research1MSP'] });
    await expect(failure(evaluation)).resolves.toEqual({
      code: status.FAILED_PRECONDITION,
      text: 'no peers available to evaluate chaincode everything in channel shared',
      details: [],
    });
  });

  it('protects transient data from other organisations at an evaluation', async () => {
    const evaluation = bed()
      .contract(chaincodes.onlyOrg1, { as: 'Org2MSP' })
      .evaluate('Identity:transientNames', { transientData: { secret: 'x' } });
    const refused = await failure(evaluation);
    expect(refused.code).toBe(status.FAILED_PRECONDITION);
    expect(refused.text).toContain(
      "no endorsers found in the gateway's organization; retry specifying target organization(s) to protect transient data",
    );
  });

  it('protects transient data from other organisations at a submit', async () => {
    const proposal = bed()
      .contract(chaincodes.onlyOrg1, { as: 'Org2MSP' })
      .newProposal('Identity:transientHash', { arguments: ['s', 'k'], transientData: { s: 'x' } });
    await expect(failure(proposal.endorse())).resolves.toEqual({
      code: status.FAILED_PRECONDITION,
      text: "no endorsers found in the gateway's organization; retry specifying endorsing organization(s) to protect transient data",
      details: [],
    });
  });

  it('takes an empty key, which no range finds', async () => {
    await bed().submit('put', '', 'without a name');
    await expect(bed().evaluate('get', '')).resolves.toBe('without a name');
    await expect(bed().query('Queries:keys', '', '')).resolves.not.toContain('');
  });

  it('refuses an event without a name', async () => {
    const refused = await failure(bed().submit('Calls:emit', '', 'x'));
    expect(refused.code).toBe(status.ABORTED);
    expect(refused.details[0]?.message).toContain('Event name must be a non-empty string');
  });

  it('ends at the deadline of the client', async () => {
    const evaluation = bed()
      .network()
      .getContract('everything')
      .newProposal('Behaviour:never')
      .evaluate({ deadline: Date.now() + 700 });
    const { code } = await failure(evaluation);
    // Client and peer both end the call then; whoever is first gives the code.
    expect([status.DEADLINE_EXCEEDED, status.CANCELLED]).toContain(code);
  });

  it('tells of a chaincode that ends, and serves again when it is back', async () => {
    const contract = bed().contract(chaincodes.neighbour);
    const lost = await failure(contract.evaluate('Behaviour:exit', { endorsingOrganizations: ['Org1MSP'] }));
    expect(lost).toMatchObject({
      code: status.ABORTED,
      text: 'failed to evaluate transaction, see attached details for more info',
      details: [
        {
          mspId: 'Org1MSP',
          message: expect.stringMatching(
            /^error in simulation: failed to execute transaction [0-9a-f]{64}: error sending: chaincode stream terminated$/,
          ) as string,
        },
      ],
    });
    const ask = () => contract.evaluate('Identity:peer', { endorsingOrganizations: ['Org1MSP'] });
    await expect(eventually(ask)).resolves.toEqual(Buffer.from('Org1MSP'));
  });

  it('tells an attribute that the caller has not', async () => {
    await expect(bed().evaluate('Identity:onlyRole', 'researcher')).resolves.toBe('welcome');
    const refused = await failure(bed().evaluate('Identity:onlyRole', 'operator'));
    expect(refused.text).toContain('only for the role operator');
  });

  it('answers every organisation alike', async () => {
    for (const mspId of hospitals) {
      const contract = bed().contract(chaincodes.everything, { as: mspId });
      const refused = await failure(contract.submitTransaction('Behaviour:fail', 'no'));
      expect(refused.details).toEqual([at(mspId, 'chaincode response 500, no')]);
    }
  });

  it('goes on serving after all of this', async () => {
    const result = await bed().contract().evaluateTransaction('Identity:echo', 'still here');
    expect(text(result)).toBe('still here');
  });
}
