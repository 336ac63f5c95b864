import { status } from '@grpc/grpc-js';
import { type Bed, text } from '../harness/bed.js';
import { failure } from '../harness/failure.js';
import { chaincodes, type Deployed } from '../harness/layout.js';

const policyFailure = 10;

/** Endorsement policies of channels and chaincodes. */
export function policies(bed: () => Bed): void {
  const codeWith = (organizations: string[], chaincode: Deployed = chaincodes.everything): Promise<number> =>
    bed().code(
      'put',
      { arguments: [bed().unique('policy'), 'x'], endorsingOrganizations: organizations },
      bed().contract(chaincode),
    );

  it('takes the endorsements of two of three', async () => {
    await expect(codeWith(['Org1MSP', 'Org2MSP'])).resolves.toBe(0);
    await expect(codeWith(['Org2MSP', 'Org3MSP'])).resolves.toBe(0);
  });

  it('takes more endorsements than needed', async () => {
    await expect(codeWith(['Org1MSP', 'Org2MSP', 'Org3MSP'])).resolves.toBe(0);
  });

  it('refuses a transaction that one endorsement is missing to', async () => {
    const key = bed().unique('short');
    await expect(
      bed().code('put', { arguments: [key, 'x'], endorsingOrganizations: ['Org1MSP'] }),
    ).resolves.toBe(policyFailure);
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('refuses two of three where all are needed', async () => {
    await expect(codeWith(['Org1MSP', 'Org2MSP'], chaincodes.allThree)).resolves.toBe(policyFailure);
    await expect(codeWith(['Org1MSP', 'Org2MSP', 'Org3MSP'], chaincodes.allThree)).resolves.toBe(0);
  });

  it('finds by itself that all are needed', async () => {
    const contract = bed().contract(chaincodes.allThree);
    expect(text(await contract.submitTransaction('put', bed().unique('all'), 'x'))).toBe('x');
  });

  it('takes either branch of a nested policy', async () => {
    await expect(codeWith(['Org3MSP'], chaincodes.nested)).resolves.toBe(0);
    await expect(codeWith(['Org1MSP', 'Org2MSP'], chaincodes.nested)).resolves.toBe(0);
    await expect(codeWith(['Org1MSP'], chaincodes.nested)).resolves.toBe(policyFailure);
    await expect(codeWith(['Org2MSP'], chaincodes.nested)).resolves.toBe(policyFailure);
  });

  it('asks other organisations where the policy leaves the own one out', async () => {
    const key = bed().unique('others');
    const contract = bed().contract(chaincodes.neighbour);
    expect(text(await contract.submitTransaction('put', key, 'theirs'))).toBe('theirs');
    expect(text(await contract.evaluateTransaction('get', key))).toBe('theirs');
  });

  it('takes a majority of organisations that all run peers', async () => {
    const majority = chaincodes.majorityOfPeers;
    await expect(codeWith(['Org1MSP', 'Org2MSP'], majority)).resolves.toBe(0);
    await expect(codeWith(['Org3MSP'], majority)).resolves.toBe(policyFailure);
  });

  it('cannot reach a majority that counts organisations without peers', async () => {
    const contract = bed().contract(chaincodes.majorityOfAll);
    const refused = await failure(contract.submitTransaction('put', 'a', 'b'));
    expect(refused).toEqual({
      code: status.FAILED_PRECONDITION,
      text: 'no combination of peers can be derived which satisfy the endorsement policy: no peer combination can satisfy the endorsement policy',
      details: [],
    });
  });

  it('refuses at commit what all peers of such a channel have endorsed', async () => {
    await expect(codeWith(['Org1MSP', 'Org2MSP', 'Org3MSP'], chaincodes.majorityOfAll)).resolves.toBe(
      policyFailure,
    );
  });

  it('still evaluates on such a channel', async () => {
    const contract = bed().contract(chaincodes.majorityOfAll);
    expect(text(await contract.evaluateTransaction('Identity:echo', 'readable'))).toBe('readable');
  });

  it('needs no endorsements for a transaction that only reads', async () => {
    // Whatever was endorsed: the policy holds for a transaction without writes as well.
    await expect(bed().code('get', { arguments: ['a'], endorsingOrganizations: ['Org1MSP'] })).resolves.toBe(
      policyFailure,
    );
    await expect(bed().code('get', { arguments: ['a'] })).resolves.toBe(0);
  });
}

/** Endorsement policies of keys. */
export function keyPolicies(bed: () => Bed): void {
  const put = (key: string, organizations: string[]): Promise<number> =>
    bed().code('put', { arguments: [key, 'changed'], endorsingOrganizations: organizations });

  async function owned(...organizations: string[]): Promise<string> {
    const key = bed().unique('owned');
    await bed().submit('setPolicyAndPut', key, JSON.stringify(organizations), 'first');
    return key;
  }

  it('is empty at first', async () => {
    const key = bed().unique('free');
    await bed().submit('put', key, 'x');
    await expect(bed().query('policyOf', key)).resolves.toEqual([]);
  });

  it('is read as it was set', async () => {
    await expect(bed().query('policyOf', await owned('Org3MSP', 'Org1MSP'))).resolves.toEqual([
      'Org1MSP',
      'Org3MSP',
    ]);
  });

  it("replaces the chaincode's policy for the key", async () => {
    const key = await owned('Org3MSP');
    await expect(put(key, ['Org1MSP', 'Org2MSP'])).resolves.toBe(policyFailure);
    await expect(bed().evaluate('get', key)).resolves.toBe('first');
    await expect(put(key, ['Org3MSP'])).resolves.toBe(0);
    await expect(bed().evaluate('get', key)).resolves.toBe('changed');
  });

  it('is followed by a gateway that chooses the endorsers', async () => {
    const key = await owned('Org2MSP', 'Org3MSP');
    await expect(bed().submit('put', key, 'found')).resolves.toBe('found');
    await expect(bed().evaluate('get', key)).resolves.toBe('found');
  });

  it('needs every organisation that it names', async () => {
    const key = await owned('Org1MSP', 'Org3MSP');
    await expect(put(key, ['Org1MSP', 'Org2MSP'])).resolves.toBe(policyFailure);
    await expect(put(key, ['Org1MSP', 'Org3MSP'])).resolves.toBe(0);
  });

  it('stays while the value changes', async () => {
    const key = await owned('Org3MSP');
    await bed().submit('put', key, 'second');
    await expect(bed().query('policyOf', key)).resolves.toEqual(['Org3MSP']);
    await expect(put(key, ['Org1MSP', 'Org2MSP'])).resolves.toBe(policyFailure);
  });

  it('is changed only under itself', async () => {
    const key = await owned('Org3MSP');
    const change = (organizations: string[]): Promise<number> =>
      bed().code('setPolicy', {
        arguments: [key, '["Org1MSP"]', 'PEER'],
        endorsingOrganizations: organizations,
      });
    await expect(change(['Org1MSP', 'Org2MSP'])).resolves.toBe(policyFailure);
    await expect(change(['Org3MSP'])).resolves.toBe(0);
    await expect(put(key, ['Org1MSP'])).resolves.toBe(0);
  });

  it('guards the deletion of the key, too', async () => {
    const key = await owned('Org3MSP');
    const remove = (organizations: string[]): Promise<number> =>
      bed().code('del', { arguments: [key], endorsingOrganizations: organizations });
    await expect(remove(['Org1MSP', 'Org2MSP'])).resolves.toBe(policyFailure);
    await expect(remove(['Org3MSP'])).resolves.toBe(0);
  });

  it('is gone with the key', async () => {
    const key = await owned('Org3MSP');
    await bed().submit('del', key);
    await expect(bed().query('policyOf', key)).resolves.toEqual([]);
    await expect(put(key, ['Org1MSP', 'Org2MSP'])).resolves.toBe(0);
  });

  it("holds beside the chaincode's policy where a transaction writes other keys, too", async () => {
    const key = await owned('Org3MSP');
    const both = (organizations: string[]): Promise<number> =>
      bed().code('putAll', {
        arguments: [JSON.stringify({ [key]: 'x', [bed().unique('free')]: 'x' })],
        endorsingOrganizations: organizations,
      });
    await expect(both(['Org3MSP'])).resolves.toBe(policyFailure);
    await expect(both(['Org1MSP', 'Org2MSP'])).resolves.toBe(policyFailure);
    await expect(both(['Org1MSP', 'Org3MSP'])).resolves.toBe(0);
  });

  it('holds for every key of a transaction', async () => {
    const [first, second] = [await owned('Org1MSP'), await owned('Org2MSP')];
    const both = (organizations: string[]): Promise<number> =>
      bed().code('putAll', {
        arguments: [JSON.stringify({ [first]: 'x', [second]: 'x' })],
        endorsingOrganizations: organizations,
      });
    await expect(both(['Org1MSP'])).resolves.toBe(policyFailure);
    await expect(both(['Org1MSP', 'Org2MSP'])).resolves.toBe(0);
  });

  it('does not matter to a transaction that only reads the key', async () => {
    const key = await owned('Org3MSP');
    await expect(
      bed().code('copy', {
        arguments: [key, bed().unique('copy')],
        endorsingOrganizations: ['Org1MSP', 'Org2MSP'],
      }),
    ).resolves.toBe(0);
  });

  it('can be met by no peer where it names an organisation without one', async () => {
    const key = await owned('Research1MSP');
    const refused = await failure(bed().submit('put', key, 'x'));
    expect(refused).toMatchObject({
      code: status.FAILED_PRECONDITION,
      text: expect.stringContaining('no combination of peers can be derived') as string,
    });
  });

  it('is set once in a block', async () => {
    const key = bed().unique('policy set');
    await bed().submit('put', key, 'x');
    await expect(
      bed().race(['setPolicy', key, '["Org1MSP"]', 'PEER'], ['setPolicy', key, '["Org2MSP"]', 'PEER']),
    ).resolves.toEqual([0, policyFailure]);
  });

  it('counts a change of the policy as a change of the key', async () => {
    const [key, to] = [bed().unique('versioned'), bed().unique('copy')];
    await bed().submit('put', key, 'x');
    await expect(bed().race(['setPolicy', key, '["Org1MSP"]', 'PEER'], ['copy', key, to])).resolves.toEqual([
      0, 11,
    ]);
  });

  it('takes effect within the block', async () => {
    const key = bed().unique('at once');
    await bed().submit('put', key, 'x');
    const contract = bed().contract();
    const set = await contract
      .newProposal('setPolicy', { arguments: [key, '["Org3MSP"]', 'PEER'] })
      .endorse();
    const write = await contract
      .newProposal('put', { arguments: [key, 'y'], endorsingOrganizations: ['Org1MSP', 'Org2MSP'] })
      .endorse();
    const commits = [await set.submit(), await write.submit()];
    const codes = await Promise.all(commits.map(async (commit) => (await commit.getStatus()).code));
    expect(codes).toEqual([0, policyFailure]);
  });
}
