import { status } from '@grpc/grpc-js';
import { StatusCode } from '@hyperledger/fabric-gateway';
import { type Bed, text } from '../harness/bed.js';
import { failure } from '../harness/failure.js';
import { chaincodes, hospitals, shared } from '../harness/layout.js';
import { sha256 } from '../harness/signature.js';

/** What submits and evaluations do. */
export function transactions(bed: () => Bed): void {
  it('returns the result of an evaluation', async () => {
    await expect(bed().evaluate('Identity:echo', 'hello')).resolves.toBe('hello');
  });

  it('returns the result of a submitted transaction', async () => {
    await expect(bed().submit('put', bed().unique('result'), 'written')).resolves.toBe('written');
  });

  it('reads after the commit what was written', async () => {
    const key = bed().unique('written');
    await bed().submit('put', key, 'value');
    await expect(bed().evaluate('get', key)).resolves.toBe('value');
  });

  it('reads nothing where nothing was written', async () => {
    await expect(bed().evaluate('get', bed().unique('absent'))).resolves.toBe('');
  });

  it('overwrites and deletes', async () => {
    const key = bed().unique('changing');
    await bed().submit('put', key, 'one');
    await bed().submit('put', key, 'two');
    await expect(bed().evaluate('get', key)).resolves.toBe('two');
    await bed().submit('del', key);
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('lets an evaluated write have no effect', async () => {
    const key = bed().unique('evaluated');
    await expect(bed().evaluate('put', key, 'value')).resolves.toBe('value');
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('knows the result before the transaction is submitted', async () => {
    const key = bed().unique('early');
    const endorsed = await bed()
      .contract()
      .newProposal('put', { arguments: [key, 'early'] })
      .endorse();
    expect(text(endorsed.getResult())).toBe('early');
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('tells id, validity and block of a commit', async () => {
    const commit = await bed()
      .contract()
      .submitAsync('put', { arguments: [bed().unique('status'), 'x'] });
    const committed = await commit.getStatus();
    expect(committed).toEqual({
      code: StatusCode.VALID,
      successful: true,
      transactionId: commit.getTransactionId(),
      blockNumber: expect.any(BigInt) as bigint,
    });
    expect(committed.blockNumber).toBeGreaterThan(0n);
  });

  it('tells the status of a commit again later, and to another organisation', async () => {
    const commit = await bed()
      .contract()
      .submitAsync('put', { arguments: [bed().unique('again'), 'x'] });
    const first = await commit.getStatus();
    const theirs = bed().gateway({ as: 'Org2MSP' });
    const { code, block } = await bed()
      .raw('Org2MSP')
      .commitStatus(commit.getTransactionId(), shared, bed().pki.user('Org2MSP'));
    expect(theirs.getIdentity().mspId).toBe('Org2MSP');
    expect({ code, block: BigInt(block) }).toEqual({ code: first.code, block: first.blockNumber });
  });

  it('waits for the status of a transaction that is submitted later', async () => {
    const endorsed = await bed()
      .contract()
      .newProposal('put', { arguments: [bed().unique('awaited'), 'x'] })
      .endorse();
    const waiting = bed()
      .raw('Org3MSP')
      .commitStatus(endorsed.getTransactionId(), shared, bed().pki.user('Org3MSP'));
    await (await endorsed.submit()).getStatus();
    await expect(waiting).resolves.toMatchObject({ code: StatusCode.VALID });
  });

  it('commits what every peer then has', async () => {
    const key = bed().unique('everywhere');
    const commit = await bed()
      .contract()
      .submitAsync('put', { arguments: [key, 'here'] });
    for (const mspId of hospitals) {
      await bed().raw(mspId).commitStatus(commit.getTransactionId(), shared, bed().pki.user(mspId));
      const theirs = bed().contract(chaincodes.everything, { as: mspId });
      expect(text(await theirs.evaluateTransaction('get', key))).toBe('here');
    }
  });

  it('carries text beyond ASCII', async () => {
    const key = bed().unique('Schlüssel 病歴');
    await bed().submit('put', key, 'Größe ≥ 3 – 卒中 🧠');
    await expect(bed().evaluate('get', key)).resolves.toBe('Größe ≥ 3 – 卒中 🧠');
  });

  it('carries empty arguments', async () => {
    await expect(bed().evaluate('Identity:echo', '')).resolves.toBe('');
  });

  it('returns nothing where a transaction returns nothing', async () => {
    await expect(bed().evaluate('Identity:nothing')).resolves.toBe('');
  });

  it('passes the function and its arguments as they were sent', async () => {
    const result = await bed()
      .contract()
      .evaluateTransaction('Identity:argumentsOf')
      .then((bytes) => JSON.parse(text(bytes)) as unknown);
    expect(result).toEqual(['Identity:argumentsOf']);
  });

  it('finds a transaction of a named contract', async () => {
    const named = bed().network().getContract('everything', 'Identity');
    expect(text(await named.evaluateTransaction('echo', 'named'))).toBe('named');
    expect(named.getContractName()).toBe('Identity');
  });

  it("serves the contracts' metadata", async () => {
    const metadata = await bed().query('org.hyperledger.fabric:GetMetadata');
    expect(metadata).toMatchObject({
      contracts: { State: { name: 'State' }, Identity: { name: 'Identity' } },
    });
  });

  it('stores a value of 1 MiB', async () => {
    const key = bed().unique('large');
    await bed().submit('putSize', key, String(1024 * 1024));
    await expect(bed().evaluate('size', key)).resolves.toBe(String(1024 * 1024));
  });

  it('answers 3 MB to a client with its default limit', async () => {
    const client = bed().dial('Org1MSP', {});
    const gateway = bed().connect(bed().pki.user('Org1MSP'), client);
    const contract = gateway.getNetwork(shared).getContract('everything');
    const result = await contract.evaluateTransaction('Identity:echoSize', '3000000');
    gateway.close();
    client.close();
    expect(result).toHaveLength(3_000_000);
  });

  it('cannot answer more than 4 MB to a client with its default limit', async () => {
    const client = bed().dial('Org1MSP', {});
    const gateway = bed().connect(bed().pki.user('Org1MSP'), client);
    const contract = gateway.getNetwork(shared).getContract('everything');
    const refused = await failure(contract.evaluateTransaction('Identity:echoSize', '5000000'));
    gateway.close();
    client.close();
    expect(refused).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      text: expect.stringMatching(/^Received message larger than max \(50000\d\d vs\.? 4194304\)$/) as string,
    });
  });

  it('answers more than 4 MB to a client that allows it', async () => {
    await expect(bed().evaluate('Identity:echoSize', '5000000')).resolves.toHaveLength(5_000_000);
  });

  it('passes transient data, of which the transaction keeps nothing', async () => {
    const key = bed().unique('transient');
    const proposal = bed()
      .contract()
      .newProposal('Identity:transientHash', {
        arguments: ['secret', key],
        transientData: { secret: 'a well kept secret' },
      });
    const endorsed = await proposal.endorse();
    const expected = sha256(Buffer.from('a well kept secret')).toString('hex');
    expect(text(endorsed.getResult())).toBe(expected);
    expect(Buffer.from(endorsed.getBytes()).includes('a well kept secret')).toBe(false);
    expect(Buffer.from(proposal.getBytes()).includes('a well kept secret')).toBe(true);
    await (await endorsed.submit()).getStatus();
    await expect(bed().evaluate('get', key)).resolves.toBe(expected);
  });

  it('passes several transient values by name', async () => {
    const names = await bed()
      .contract()
      .evaluate('Identity:transientNames', { transientData: { b: '2', a: '1' } });
    expect(text(names)).toBe('["a","b"]');
  });

  it('takes 8 MB of transient data to two organisations', async () => {
    const data = Buffer.alloc(8 * 1024 * 1024, 7);
    const result = await bed()
      .contract()
      .submit('Identity:transientHash', {
        arguments: ['blob', bed().unique('blob')],
        transientData: { blob: data },
        endorsingOrganizations: ['Org1MSP', 'Org3MSP'],
      });
    expect(text(result)).toBe(sha256(data).toString('hex'));
  });

  it("evaluates on the peer of the gateway's organisation", async () => {
    for (const mspId of hospitals) {
      const contract = bed().contract(chaincodes.everything, { as: mspId });
      expect(text(await contract.evaluateTransaction('Identity:peer'))).toBe(mspId);
    }
  });

  it('evaluates on the peer of a named organisation', async () => {
    const result = await bed()
      .contract()
      .evaluate('Identity:peer', { endorsingOrganizations: ['Org3MSP'] });
    expect(text(result)).toBe('Org3MSP');
  });

  it('evaluates elsewhere where the own peer has not the chaincode', async () => {
    const contract = bed().contract(chaincodes.onlyOrg1, { as: 'Org2MSP' });
    expect(text(await contract.evaluateTransaction('Identity:peer'))).toBe('Org1MSP');
  });

  it('submits to a chaincode that the own peer has not', async () => {
    const contract = bed().contract(chaincodes.onlyOrg1, { as: 'Org3MSP' });
    const key = bed().unique('remote');
    expect(text(await contract.submitTransaction('put', key, 'there'))).toBe('there');
  });

  it('commits many transactions that were submitted at once', async () => {
    const prefix = bed().unique('many');
    const writes = Array.from({ length: 25 }, (_, index) => bed().submit('put', `${prefix}/${index}`, 'x'));
    await Promise.all(writes);
    await expect(bed().query('Queries:keys', `${prefix}/`, `${prefix}0`)).resolves.toHaveLength(25);
  });
}
