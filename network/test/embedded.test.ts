import { type Contract, type Gateway } from '@hyperledger/fabric-gateway';
import { status } from '@grpc/grpc-js';
import { failure, json, startSharedNetwork, text } from './support/shared-network.js';
import { type TestNetwork } from './support/test-network.js';

describe('an embedded network with the real client and the real shim', () => {
  let test: TestNetwork;
  let gateway: Gateway;
  let contract: Contract;

  const evaluate = (...args: [string, ...string[]]): Promise<Uint8Array> =>
    contract.evaluateTransaction(...args);
  const submit = (...args: [string, ...string[]]): Promise<Uint8Array> => contract.submitTransaction(...args);

  beforeAll(async () => {
    test = await startSharedNetwork();
    await test.deploy('org1-only', 'private', ['Org1MSP']);
    gateway = await test.connect('Org1MSP');
    contract = gateway.getNetwork('shared').getContract('everything');
  });

  afterAll(() => test.close());

  describe('state', () => {
    it('writes, reads and deletes', async () => {
      await expect(submit('put', 'a', 'apple').then(text)).resolves.toBe('apple');
      await expect(evaluate('get', 'a').then(text)).resolves.toBe('apple');
      await submit('del', 'a');
      await expect(evaluate('get', 'a').then(text)).resolves.toBe('');
    });

    it('does not show a transaction its own writes', async () => {
      await submit('put', 'own', 'before');
      await expect(evaluate('readAfterWrite', 'own', 'after').then(text)).resolves.toBe('before');
    });

    it('leaves no trace of an evaluated write', async () => {
      await evaluate('put', 'evaluated', 'x');
      await expect(evaluate('get', 'evaluated').then(text)).resolves.toBe('');
    });

    it('reads ranges beyond one answer of the stream', async () => {
      await submit('putMany', 'range/', '230', 'v');
      const found = json(await evaluate('range', 'range/0010', 'range/0229')) as [string, string][];
      expect(found).toHaveLength(219);
      expect(found[0]).toEqual(['range/0010', 'v']);
      expect(found.at(-1)).toEqual(['range/0228', 'v']);
    });

    it('reads pages and refuses to write after one', async () => {
      await submit('putMany', 'page/', '5', 'v');
      await expect(evaluate('page', 'page/', 'page0', '2', '').then(json)).resolves.toEqual({
        found: ['page/0000', 'page/0001'],
        fetchedRecordsCount: 2,
        bookmark: 'page/0002',
      });
      await expect(evaluate('page', 'page/', 'page0', '4', 'page/0002').then(json)).resolves.toEqual({
        found: ['page/0002', 'page/0003', 'page/0004'],
        fetchedRecordsCount: 3,
        bookmark: '',
      });
      const error = await failure(submit('pageThenPut', 'page/', 'page0'));
      expect(error.details[0]?.message).toContain(
        'Transaction has already performed a paginated query. Writes are not allowed',
      );
    });

    it('finds composite keys by their first part', async () => {
      await submit('putComposite', 'colour', 'red', 'apple', '1');
      await submit('putComposite', 'colour', 'red', 'cherry', '2');
      await submit('putComposite', 'colour', 'yellow', 'banana', '3');
      await expect(evaluate('byPartialKey', 'colour', 'red').then(json)).resolves.toEqual([
        [['red', 'apple'], '1'],
        [['red', 'cherry'], '2'],
      ]);
    });

    it('tells the history of a key, newest first', async () => {
      await submit('put', 'story', 'one');
      await submit('put', 'story', 'two');
      await submit('del', 'story');
      const history = json(await evaluate('history', 'story')) as { value: string; isDelete: boolean }[];
      expect(history.map(({ value, isDelete }) => [value, isDelete])).toEqual([
        ['', true],
        ['two', false],
        ['one', false],
      ]);
    });

    it('refuses rich queries and private data in plain words', async () => {
      const query = await failure(evaluate('query', '{"selector":{}}'));
      expect(query.message).toContain('ExecuteQuery not supported for leveldb');
      const secret = await failure(evaluate('privateData', 'secrets', 'a'));
      expect(secret.message).toContain(
        "private data collections are not supported here: collection 'secrets'",
      );
    });
  });

  describe('identity, time and transient data', () => {
    it('passes on the identity, its attributes and the transaction', async () => {
      const proposal = contract.newProposal('whoAmI');
      const seen = json(await proposal.evaluate()) as Record<string, unknown>;
      expect(seen).toMatchObject({
        mspId: 'Org1MSP',
        role: 'researcher',
        channel: 'shared',
        txId: proposal.getTransactionId(),
      });
    });

    it('lets an organisation without a peer submit through another one', async () => {
      const research = await test.connect('ResearchMSP', { via: 'Org2MSP' });
      const theirs = research.getNetwork('shared').getContract('everything');
      await theirs.submitTransaction('put', 'research', 'question');
      await expect(evaluate('get', 'research').then(text)).resolves.toBe('question');
    });

    it('takes 8 MB of transient data, which no block keeps', async () => {
      const data = Buffer.alloc(8 * 1024 * 1024, 7);
      const hash = await contract
        .submit('transientHash', {
          arguments: ['blob'],
          transientData: { blob: data },
          endorsingOrganizations: ['Org1MSP', 'Org3MSP'],
        })
        .then(text);
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      await expect(evaluate('get', 'hash of blob').then(text)).resolves.toBe(hash);
    });
  });

  describe('chaincode to chaincode', () => {
    it('calls on the same channel within the transaction', async () => {
      const local = gateway.getNetwork('org1-only').getContract('private');
      await submit('put', 'shared fact', 'yes');
      await expect(
        local.evaluateTransaction('call', 'everything', 'shared', '["get","shared fact"]').then(json),
      ).resolves.toMatchObject({ status: 200, payload: 'yes' });
    });

    it('reads across channels where the peer is a member of both, without effect on the read set', async () => {
      const local = gateway.getNetwork('org1-only').getContract('private');
      await expect(
        local.submitTransaction('call', 'everything', 'shared', '["put","from outside","x"]').then(json),
      ).resolves.toMatchObject({ status: 200 });
      await expect(evaluate('get', 'from outside').then(text)).resolves.toBe('');
    });

    it('refuses a channel that the endorsing peers do not have', async () => {
      const error = await failure(submit('call', 'private', 'nowhere', '["get","a"]'));
      expect(error.details[0]?.message).toContain('Failed to get policy manager for channel [nowhere]');
    });
  });

  describe('membership', () => {
    it('refuses a certificate of a foreign authority', async () => {
      const foreign = await test.organization('Org2MSP').issue('User1', 'client');
      const intruder = await test.connect('Org1MSP', { identity: foreign });
      const error = await failure(
        intruder.getNetwork('shared').getContract('everything').evaluateTransaction('get', 'a'),
      );
      expect(error.code).toBe(status.FAILED_PRECONDITION);
      expect(error.message).toContain(
        'access denied: channel [shared] creator org unknown, creator is malformed',
      );
    });

    it('refuses an expired identity', async () => {
      const expired = await test.organization('Org1MSP').issue('Old', 'client', undefined, {
        notBefore: new Date(Date.now() - 2_000_000),
        notAfter: new Date(Date.now() - 1_000_000),
      });
      const late = await test.connect('Org1MSP', { identity: expired });
      const error = await failure(
        late.getNetwork('shared').getContract('everything').evaluateTransaction('get', 'a'),
      );
      expect(error.details.map(({ message }) => message)).toContain('proposal client identity expired');
    });

    it('refuses a peer as a writer and a stranger as a reader', async () => {
      const asPeer = await test.connect('Org1MSP', {
        identity: await test.organization('Org1MSP').issue('p', 'peer'),
      });
      const written = await failure(
        asPeer.getNetwork('shared').getContract('everything').evaluateTransaction('get', 'a'),
      );
      expect(written.message).toContain('with policy [/Channel/Application/Writers]');
      const stranger = await test.connect('Org2MSP', { via: 'Org1MSP' });
      const events = stranger.getNetwork('org1-only').getChaincodeEvents('private');
      const read = await failure(events.then((iterator) => iterator[Symbol.asyncIterator]().next()));
      expect(read.code).toBe(status.PERMISSION_DENIED);
    });
  });

  describe('the chaincode process', () => {
    it('comes back after it died, and the peer says what happened meanwhile', async () => {
      const process = test.chaincode('private', 'Org1MSP');
      const local = gateway.getNetwork('org1-only').getContract('private');
      const died = await failure(local.evaluateTransaction('exit'));
      expect(died.details[0]?.message).toContain('chaincode stream terminated');
      await process.ended();
      const gone = await failure(local.evaluateTransaction('get', 'a'));
      expect(gone.details[0]?.message).toMatch(
        /could not launch chaincode private_Org1MSP:1: .*127\.0\.0\.1/,
      );
      process.run();
      await test.deploy('org1-only', 'private', ['Org1MSP']);
      await expect(local.evaluateTransaction('get', 'a').then(text)).resolves.toBe('');
    });
  });

  describe('upgrades', () => {
    it('takes the next sequence and refuses any other', async () => {
      await test.deploy('org1-only', 'private', ['Org1MSP'], { sequence: 2 });
      await expect(test.deploy('org1-only', 'private', ['Org1MSP'], { sequence: 4 })).rejects.toThrow(
        'requested sequence is 4, but new definition must be sequence 3',
      );
      const [channel] = test.network.status().channels.filter(({ name }) => name === 'org1-only');
      expect(channel?.chaincodes).toMatchObject([{ name: 'private', sequence: 2 }]);
    });
  });

  describe('restart', () => {
    it('keeps blocks, state and history', async () => {
      await submit('put', 'kept', 'yes');
      const before = test.network.status().channels.map(({ heights }) => heights);
      expect(new Set(Object.values(before[0] ?? {})).size).toBe(1);
      await test.restart();
      expect(test.network.status().channels.map(({ heights }) => heights)).toEqual(before);
      await test.network.verify();
      await test.deploy('shared', 'everything', ['Org1MSP', 'Org2MSP', 'Org3MSP']);
      const again = (await test.connect('Org2MSP')).getNetwork('shared').getContract('everything');
      await expect(again.evaluateTransaction('get', 'kept').then(text)).resolves.toBe('yes');
      await expect(again.submitTransaction('put', 'kept', 'and changed').then(text)).resolves.toBe(
        'and changed',
      );
      expect(json(await again.evaluateTransaction('history', 'kept'))).toHaveLength(2);
    });
  });
});
