import { type Contract, EndorseError, type Gateway, GatewayError } from '@hyperledger/fabric-gateway';
import { status } from '@grpc/grpc-js';
import { TestNetwork } from './support/test-network.js';

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);
const json = (bytes: Uint8Array): unknown => JSON.parse(text(bytes));

/** The error of a promise that must fail. */
async function failure(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
}

describe('an embedded network with the real client and the real shim', () => {
  let test: TestNetwork;
  let gateway: Gateway;
  let contract: Contract;

  const evaluate = (...args: [string, ...string[]]): Promise<Uint8Array> =>
    contract.evaluateTransaction(...args);
  const submit = (...args: [string, ...string[]]): Promise<Uint8Array> => contract.submitTransaction(...args);

  beforeAll(async () => {
    test = await TestNetwork.start({
      peers: ['Org1MSP', 'Org2MSP', 'Org3MSP'],
      peerless: ['ResearchMSP'],
      channels: [
        {
          name: 'shared',
          members: ['Org1MSP', 'Org2MSP', 'Org3MSP', 'ResearchMSP'],
          endorsement: "OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')",
        },
        { name: 'org1-only', members: ['Org1MSP'], endorsement: "OR('Org1MSP.peer')" },
      ],
    });
    await Promise.all([
      test.deploy('shared', 'everything', ['Org1MSP', 'Org2MSP', 'Org3MSP']),
      test.deploy('org1-only', 'private', ['Org1MSP']),
    ]);
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

  describe('endorsement', () => {
    it('says which results did not match', async () => {
      const error = await failure(submit('random'));
      expect(error).toBeInstanceOf(EndorseError);
      expect(error.code).toBe(status.ABORTED);
      expect(error.details.map(({ message }) => message)).toContain('ProposalResponsePayloads do not match');
    });

    it("gives the contract's words when it throws", async () => {
      const submitted = await failure(submit('fail', 'not today'));
      expect(submitted.code).toBe(status.ABORTED);
      expect(submitted.details[0]).toMatchObject({
        mspId: 'Org1MSP',
        address: test.network.peerAddress('Org1MSP'),
        message: 'chaincode response 500, not today',
      });
      const evaluated = await failure(evaluate('fail', 'not today'));
      expect(evaluated.code).toBe(status.UNKNOWN);
      expect(evaluated.message).toContain(
        'evaluate call to endorser returned error: chaincode response 500, not today',
      );
    });

    it('says that a chaincode is not deployed', async () => {
      const missing = gateway.getNetwork('shared').getContract('nothing');
      const evaluated = await failure(missing.evaluateTransaction('get', 'a'));
      expect(evaluated.code).toBe(status.FAILED_PRECONDITION);
      expect(evaluated.message).toContain(
        'no peers available to evaluate chaincode nothing in channel shared',
      );
      const submitted = await failure(missing.submitTransaction('get', 'a'));
      expect(submitted.code).toBe(status.FAILED_PRECONDITION);
      expect(submitted.message).toContain(
        'no combination of peers can be derived which satisfy the endorsement policy: ' +
          'No metadata was found for chaincode nothing in channel shared',
      );
    });

    it('says that a channel does not exist', async () => {
      const error = await failure(gateway.getNetwork('absent').getContract('c').evaluateTransaction('get'));
      expect(error.code).toBe(status.UNAVAILABLE);
      expect(error.message).toContain('failed to get config for channel [absent]');
    });

    it('marks a transaction that too few endorsed as failing its policy', async () => {
      const proposal = contract.newProposal('put', {
        arguments: ['lonely', 'x'],
        endorsingOrganizations: ['Org1MSP'],
      });
      const transaction = await proposal.endorse();
      const commit = await transaction.submit();
      await expect(commit.getStatus()).resolves.toMatchObject({ successful: false, code: 10 });
      await expect(evaluate('get', 'lonely').then(text)).resolves.toBe('');
    });

    it("follows a key's own policy instead of the channel's", async () => {
      await submit('put', 'owned', 'first');
      await submit('requireEndorsement', 'owned', '["Org3MSP"]');
      await expect(evaluate('endorsersOf', 'owned').then(json)).resolves.toEqual(['Org3MSP']);
      // The gateway finds out by itself that Org3 has to endorse.
      await submit('put', 'owned', 'second');
      await expect(evaluate('get', 'owned').then(text)).resolves.toBe('second');
      const bypass = await contract
        .newProposal('put', { arguments: ['owned', 'third'], endorsingOrganizations: ['Org1MSP', 'Org2MSP'] })
        .endorse();
      await expect((await bypass.submit()).getStatus()).resolves.toMatchObject({ code: 10 });
      const alone = await contract
        .newProposal('put', { arguments: ['owned', 'fourth'], endorsingOrganizations: ['Org3MSP'] })
        .endorse();
      await expect((await alone.submit()).getStatus()).resolves.toMatchObject({ code: 0 });
      await expect(evaluate('get', 'owned').then(text)).resolves.toBe('fourth');
    });
  });

  describe('commit', () => {
    /** Endorses all before any is submitted, so that they read the same state. */
    async function race(...proposals: [string, ...string[]][]): Promise<number[]> {
      const endorsed = await Promise.all(
        proposals.map(([name, ...args]) => contract.newProposal(name, { arguments: args }).endorse()),
      );
      const commits = await Promise.all(endorsed.map((transaction) => transaction.submit()));
      const statuses = await Promise.all(commits.map((commit) => commit.getStatus()));
      return statuses.map(({ code }) => Number(code));
    }

    it('lets one of two conflicting transactions win', async () => {
      await submit('put', 'counter', '1');
      expect((await race(['increment', 'counter'], ['increment', 'counter'])).sort()).toEqual([0, 11]);
      await expect(evaluate('get', 'counter').then(text)).resolves.toBe('2');
    });

    it('finds phantoms in ranges, few or many', async () => {
      await submit('putMany', 'few/', '3', 'v');
      await expect(
        race(['put', 'few/new', 'v'], ['countRange', 'few/', 'few0', 'count of few']),
      ).resolves.toEqual([0, 12]);
      await submit('putMany', 'many/', '130', 'v');
      await expect(
        race(['put', 'many/new', 'v'], ['countRange', 'many/', 'many0', 'count of many']),
      ).resolves.toEqual([0, 12]);
      await expect(submit('countRange', 'many/', 'many0', 'count of many').then(text)).resolves.toBe('131');
    });

    it('refuses the same transaction twice', async () => {
      const proposal = contract.newProposal('put', { arguments: ['once', 'x'] });
      const transaction = await proposal.endorse();
      const bytes = transaction.getBytes();
      const first = await transaction.submit();
      const { blockNumber } = await first.getStatus();
      await gateway.newTransaction(bytes).submit();
      const blocks = await gateway.getNetwork('shared').getFilteredBlockEvents({ startBlock: blockNumber });
      const codes: number[] = [];
      for await (const block of blocks) {
        for (const transaction of block.getFilteredTransactionsList()) {
          if (transaction.getTxid() === first.getTransactionId())
            codes.push(transaction.getTxValidationCode());
        }
        if (codes.length === 2) break;
      }
      blocks.close();
      expect(codes).toEqual([0, 9]);
      await expect(gateway.newCommit(first.getBytes()).getStatus()).resolves.toMatchObject({ code: 0 });
      const endorsedAgain = await failure(gateway.newProposal(proposal.getBytes()).endorse());
      expect(endorsedAgain.details[0]?.message).toContain(
        `duplicate transaction found [${first.getTransactionId()}]`,
      );
    });

    it('waits for the status of a transaction that is not there yet', async () => {
      const transaction = await contract.newProposal('put', { arguments: ['waited for', 'x'] }).endorse();
      const committed = await transaction.submit();
      const [early, late] = await Promise.all([
        committed.getStatus(),
        gateway.newCommit(committed.getBytes()).getStatus(),
      ]);
      expect(early).toEqual(late);
    });
  });

  describe('events', () => {
    it('replays events from a block and goes on with new ones', async () => {
      const network = gateway.getNetwork('shared');
      const first = await contract.submitAsync('emit', { arguments: ['one', '1'] });
      const { blockNumber } = await first.getStatus();
      const events = await network.getChaincodeEvents('everything', { startBlock: blockNumber });
      try {
        const seen: [string, string][] = [];
        for await (const { eventName, payload } of events) {
          seen.push([eventName, text(payload)]);
          if (seen.length === 1) await submit('emitTwice');
          if (seen.length === 2) break;
        }
        expect(seen).toEqual([
          ['one', '1'],
          ['second', '2'],
        ]);
      } finally {
        events.close();
      }
    });

    it('continues after the transaction of a checkpoint', async () => {
      const network = gateway.getNetwork('shared');
      const commit = await contract.submitAsync('emit', { arguments: ['before', '1'] });
      const { blockNumber } = await commit.getStatus();
      await submit('emit', 'after', '2');
      const events = await network.getChaincodeEvents('everything', {
        checkpoint: {
          getBlockNumber: () => blockNumber,
          getTransactionId: () => commit.getTransactionId(),
        },
      });
      try {
        for await (const { eventName } of events) {
          expect(eventName).toBe('after');
          break;
        }
      } finally {
        events.close();
      }
    });

    it('delivers blocks and filtered blocks', async () => {
      const network = gateway.getNetwork('shared');
      const commit = await contract.submitAsync('emit', { arguments: ['block', '1'] });
      const { blockNumber } = await commit.getStatus();
      const filtered = await network.getFilteredBlockEvents({ startBlock: blockNumber });
      for await (const block of filtered) {
        expect(block.getNumber()).toBe(Number(blockNumber));
        expect(block.getFilteredTransactionsList().map((transaction) => transaction.getTxid())).toContain(
          commit.getTransactionId(),
        );
        break;
      }
      filtered.close();
      const blocks = await network.getBlockEvents({ startBlock: 0n });
      const numbers: (number | undefined)[] = [];
      for await (const block of blocks) {
        numbers.push(block.getHeader()?.getNumber());
        if (numbers.length === 3) break;
      }
      blocks.close();
      expect(numbers).toEqual([0, 1, 2]);
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
