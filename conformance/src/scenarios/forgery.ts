import { randomBytes } from 'node:crypto';
import { type common, ledger, peer } from '@hyperledger/fabric-protos';
import { StatusCode } from '@hyperledger/fabric-gateway';
import type { Bed } from '../harness/bed.js';
import { chaincodes, majorityOfPeers, shared } from '../harness/layout.js';
import { type Credentials, impostor, serializedIdentity } from '../harness/pki.js';
import { sign, withHighS } from '../harness/signature.js';
import {
  alterReadWriteSet,
  alterTransaction,
  repack,
  signEnvelope,
  type TransactionParts,
  unpackTransaction,
} from '../harness/transaction.js';

const { VALID, ENDORSEMENT_POLICY_FAILURE } = StatusCode;

/** Transactions that were changed by hand after their endorsement; the creator signs them all the same. */
export function forgery(bed: () => Bed): void {
  let user: Credentials;
  beforeAll(() => {
    user = bed().pki.user('Org1MSP');
  });

  async function codeOf(
    alter: (parts: TransactionParts) => Promise<void> | void,
    {
      args,
      organizations = ['Org1MSP', 'Org2MSP'],
      chaincode = 'everything',
    }: { args?: string[]; organizations?: string[]; chaincode?: string } = {},
  ): Promise<{ code: number; key: string }> {
    const key = bed().unique('forged');
    const { txId, envelope } = await bed()
      .raw()
      .prepare(
        { creator: user, channel: shared, chaincode, args: args ?? ['put', key, 'honest'] },
        organizations,
      );
    const parts = unpackTransaction(envelope);
    await alter(parts);
    const altered = alterTransaction(envelope, (fresh) => Object.assign(fresh, parts));
    const code = await bed().raw().commit({ txId, envelope: altered }, shared, user);
    return { code, key };
  }

  async function endorse(parts: TransactionParts, endorser: Credentials): Promise<peer.Endorsement> {
    const identity = serializedIdentity(endorser);
    const payload = parts.endorsed.getProposalResponsePayload_asU8();
    const endorsement = new peer.Endorsement();
    endorsement.setEndorser(identity);
    endorsement.setSignature(await sign(endorser.key, Buffer.concat([payload, identity])));
    return endorsement;
  }

  it('is valid where nothing was changed', async () => {
    await expect(codeOf(() => undefined)).resolves.toMatchObject({ code: VALID });
  });

  it('refuses a changed value', async () => {
    const { code, key } = await codeOf((parts) =>
      alterReadWriteSet(parts, 'everything', (set) =>
        set.getWritesList()[0]?.setValue(Buffer.from('forged')),
      ),
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('refuses a changed read set', async () => {
    const { code } = await codeOf(
      (parts) =>
        alterReadWriteSet(parts, 'everything', (set) => {
          const version = new ledger.rwset.kvrwset.Version();
          version.setBlockNum(1);
          set.getReadsList()[0]?.setVersion(version);
        }),
      { args: ['increment', bed().unique('counter')] },
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an added write', async () => {
    const { code } = await codeOf((parts) =>
      alterReadWriteSet(parts, 'everything', (set) => {
        const write = new ledger.rwset.kvrwset.KVWrite();
        write.setKey(bed().unique('smuggled'));
        write.setValue(Buffer.from('x'));
        set.addWrites(write);
      }),
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses a changed event', async () => {
    const { code } = await codeOf(
      (parts) => {
        const event = peer.ChaincodeEvent.deserializeBinary(parts.chaincodeAction.getEvents_asU8());
        event.setPayload(Buffer.from('forged'));
        parts.chaincodeAction.setEvents(event.serializeBinary());
      },
      { args: ['Calls:emit', bed().unique('event'), 'honest'] },
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses a changed result', async () => {
    const { code } = await codeOf((parts) =>
      parts.chaincodeAction.getResponse()?.setPayload(Buffer.from('forged')),
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses a signature of nobody among the endorsements', async () => {
    const { code } = await codeOf((parts) =>
      parts.endorsed.getEndorsementsList()[1]?.setSignature(Buffer.from('nonsense')),
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an endorsement with a high S', async () => {
    const { code } = await codeOf((parts) => {
      const [, second] = parts.endorsed.getEndorsementsList();
      second?.setSignature(withHighS(second.getSignature_asU8()));
    });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an endorsement under the name of another peer', async () => {
    const { code } = await codeOf((parts) => {
      const [, second] = parts.endorsed.getEndorsementsList();
      second?.setEndorser(serializedIdentity(bed().pki.peer('Org3MSP')));
    });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an endorsement by a peer of a foreign authority', async () => {
    const foreign = await impostor('Org2MSP', 'peer');
    const { code } = await codeOf(
      async (parts) => void parts.endorsed.addEndorsements(await endorse(parts, foreign)),
      { organizations: ['Org1MSP'] },
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an endorsement by a client', async () => {
    const { code } = await codeOf(
      async (parts) => void parts.endorsed.addEndorsements(await endorse(parts, bed().pki.user('Org2MSP'))),
      { organizations: ['Org1MSP'] },
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('takes an endorsement by another peer of the organisation', async () => {
    const second = await bed().pki.issue('Org2MSP', 'peer1', 'peer');
    const { code } = await codeOf(
      async (parts) => void parts.endorsed.addEndorsements(await endorse(parts, second)),
      { organizations: ['Org1MSP'] },
    );
    expect(code).toBe(VALID);
  });

  it('counts two endorsements of one peer once', async () => {
    const { code } = await codeOf(
      (parts) => {
        const [only] = parts.endorsed.getEndorsementsList();
        if (only) parts.endorsed.addEndorsements(only.clone());
      },
      { organizations: ['Org1MSP'] },
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('counts two peers of one organisation as one organisation', async () => {
    const second = await bed().pki.issue('Org1MSP', 'peer1', 'peer');
    const { code } = await codeOf(
      async (parts) => void parts.endorsed.addEndorsements(await endorse(parts, second)),
      { organizations: ['Org1MSP'] },
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('takes away an endorsement at its peril', async () => {
    const { code } = await codeOf((parts) => {
      const [first] = parts.endorsed.getEndorsementsList();
      parts.endorsed.setEndorsementsList(first ? [first] : []);
    });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses a transaction without endorsements', async () => {
    const { code } = await codeOf((parts) => parts.endorsed.setEndorsementsList([]));
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('does not mind a false endorsement beside enough true ones', async () => {
    const foreign = await impostor('Org3MSP', 'peer');
    const { code } = await codeOf(
      async (parts) => void parts.endorsed.addEndorsements(await endorse(parts, foreign)),
    );
    expect(code).toBe(VALID);
  });

  it('refuses other arguments than the endorsed ones', async () => {
    const other = buildPayload(['put', bed().unique('other'), 'forged']);
    const { code } = await codeOf((parts) => parts.actionPayload.setChaincodeProposalPayload(other));
    expect(code).toBe(StatusCode.INVALID_ENDORSER_TRANSACTION);
  });

  it('refuses a transaction that names another chaincode than was endorsed', async () => {
    const { code } = await codeOf((parts) => parts.chaincodeAction.getChaincodeId()?.setName('nested'));
    expect([StatusCode.INVALID_OTHER_REASON, StatusCode.INVALID_CHAINCODE]).toContain(code);
  });

  it('refuses writes to a chaincode that the transaction did not call, unendorsed by its policy', async () => {
    const { code } = await codeOf((parts) => {
      const [entry] = parts.results.getNsRwsetList();
      entry?.setNamespace(chaincodes.neighbour.name);
    });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  describe('that enough peers signed all the same', () => {
    /** Changes the results of a transaction and lets the peers of Org1 and Org2 sign the change. */
    const conspire = (
      alter: (parts: TransactionParts) => void,
      options: { args?: string[]; chaincode?: string } = {},
    ): Promise<{ code: number; key: string }> =>
      codeOf(async (parts) => {
        alter(parts);
        repack(parts);
        const endorsers = ['Org1MSP', 'Org2MSP'].map((mspId) => endorse(parts, bed().pki.peer(mspId)));
        parts.endorsed.setEndorsementsList(await Promise.all(endorsers));
      }, options);

    it('believes a changed value', async () => {
      const { code, key } = await conspire((parts) =>
        alterReadWriteSet(parts, 'everything', (set) =>
          set.getWritesList()[0]?.setValue(Buffer.from('agreed')),
        ),
      );
      expect(code).toBe(VALID);
      await expect(bed().evaluate('get', key)).resolves.toBe('agreed');
    });

    it('compares a changed read set with the state', async () => {
      const { code } = await conspire(
        (parts) =>
          alterReadWriteSet(parts, 'everything', (set) => {
            const version = new ledger.rwset.kvrwset.Version();
            version.setBlockNum(1);
            set.getReadsList()[0]?.setVersion(version);
          }),
        { args: ['increment', bed().unique('counter')] },
      );
      expect(code).toBe(StatusCode.MVCC_READ_CONFLICT);
    });

    it('refuses writes to a chaincode that is not there', async () => {
      const { code } = await conspire((parts) => parts.results.getNsRwsetList()[1]?.setNamespace('missing'));
      expect(code).toBe(StatusCode.INVALID_CHAINCODE);
    });

    it('refuses writes under another policy than they need', async () => {
      const { code } = await conspire((parts) =>
        parts.results.getNsRwsetList()[1]?.setNamespace('all-three'),
      );
      expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
    });

    it('refuses writes to system chaincodes', async () => {
      const { code } = await conspire((parts) => parts.results.getNsRwsetList()[1]?.setNamespace('qscc'));
      expect(code).toBe(StatusCode.INVALID_CHAINCODE);
    });

    it('refuses a namespace that comes twice', async () => {
      const { code } = await conspire((parts) => {
        const [, entry] = parts.results.getNsRwsetList();
        if (entry) parts.results.addNsRwset(entry.clone());
      });
      expect(code).toBe(StatusCode.ILLEGAL_WRITESET);
    });

    it('refuses results that are none', async () => {
      const { code } = await conspire((parts) =>
        parts.results.getNsRwsetList()[1]?.setRwset(Buffer.from('nonsense')),
      );
      expect(code).toBe(StatusCode.BAD_RWSET);
    });

    it('refuses an event of another chaincode', async () => {
      const { code } = await conspire(
        (parts) => {
          const event = peer.ChaincodeEvent.deserializeBinary(parts.chaincodeAction.getEvents_asU8());
          event.setChaincodeId('neighbour');
          parts.chaincodeAction.setEvents(event.serializeBinary());
        },
        { args: ['Calls:emit', bed().unique('event'), 'x'] },
      );
      expect(code).toBe(StatusCode.INVALID_OTHER_REASON);
    });

    it('refuses results of another proposal', async () => {
      const { code } = await conspire((parts) => parts.responsePayload.setProposalHash(Buffer.alloc(32, 1)));
      expect(code).toBe(StatusCode.INVALID_ENDORSER_TRANSACTION);
    });

    it('does not mind another version of the chaincode in the results', async () => {
      const { code } = await conspire((parts) => parts.chaincodeAction.getChaincodeId()?.setVersion('0.9'));
      expect(code).toBe(VALID);
    });
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

function buildPayload(args: readonly string[]): Uint8Array {
  const id = new peer.ChaincodeID();
  id.setName('everything');
  const input = new peer.ChaincodeInput();
  input.setArgsList(args.map((arg) => Buffer.from(arg)));
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.NODE);
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  return payload.serializeBinary();
}
