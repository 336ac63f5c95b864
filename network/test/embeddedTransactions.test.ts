import { type Contract, EndorseError, type Gateway } from '@hyperledger/fabric-gateway';
import { status } from '@grpc/grpc-js';
import { failure, json, startSharedNetwork, text } from './support/shared-network.js';
import { type TestNetwork } from './support/test-network.js';

describe('transactions of an embedded network, from endorsement to events', () => {
  let test: TestNetwork;
  let gateway: Gateway;
  let contract: Contract;

  const evaluate = (...args: [string, ...string[]]): Promise<Uint8Array> =>
    contract.evaluateTransaction(...args);
  const submit = (...args: [string, ...string[]]): Promise<Uint8Array> => contract.submitTransaction(...args);

  beforeAll(async () => {
    test = await startSharedNetwork();
    gateway = await test.connect('Org1MSP');
    contract = gateway.getNetwork('shared').getContract('everything');
  });

  afterAll(() => test.close());

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
});
