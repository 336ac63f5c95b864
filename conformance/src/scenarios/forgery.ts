import { ledger } from '@hyperledger/fabric-protos';
import { StatusCode } from '@hyperledger/fabric-gateway';
import type { Bed } from '../harness/bed.js';
import { Forger } from '../harness/forger.js';
import { chaincodes } from '../harness/layout.js';
import { impostor, serializedIdentity } from '../harness/pki.js';
import { proposalPayload } from '../harness/proposal.js';
import { withHighS } from '../harness/signature.js';
import { alterEvent, alterReadVersion, alterReadWriteSet, alterValue } from '../harness/transaction.js';

const { VALID, ENDORSEMENT_POLICY_FAILURE } = StatusCode;

/** Transactions that were changed by hand after their endorsement; the creator signs them all the same. */
export function forgery(bed: () => Bed): void {
  const forger = new Forger(bed);

  it('is valid where nothing was changed', async () => {
    await expect(forger.commit(() => undefined)).resolves.toMatchObject({ code: VALID });
  });

  it('refuses a changed value', async () => {
    const { code, key } = await forger.commit((parts) => alterValue(parts, 'forged'));
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('refuses a changed read set', async () => {
    const { code } = await forger.commit(alterReadVersion, { args: ['increment', bed().unique('counter')] });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an added write', async () => {
    const { code } = await forger.commit((parts) =>
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
    const { code } = await forger.commit(
      (parts) => alterEvent(parts, (event) => event.setPayload(Buffer.from('forged'))),
      { args: ['Calls:emit', bed().unique('event'), 'honest'] },
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses a changed result', async () => {
    const { code } = await forger.commit((parts) =>
      parts.chaincodeAction.getResponse()?.setPayload(Buffer.from('forged')),
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses a signature of nobody among the endorsements', async () => {
    const { code } = await forger.commit((parts) =>
      parts.endorsed.getEndorsementsList()[1]?.setSignature(Buffer.from('nonsense')),
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an endorsement with a high S', async () => {
    const { code } = await forger.commit((parts) => {
      const [, second] = parts.endorsed.getEndorsementsList();
      second?.setSignature(withHighS(second.getSignature_asU8()));
    });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an endorsement under the name of another peer', async () => {
    const { code } = await forger.commit((parts) => {
      const [, second] = parts.endorsed.getEndorsementsList();
      second?.setEndorser(serializedIdentity(bed().pki.peer('Org3MSP')));
    });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an endorsement by a peer of a foreign authority', async () => {
    const foreign = await impostor('Org2MSP', 'peer');
    const { code } = await forger.commitWith(foreign);
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses an endorsement by a client', async () => {
    const { code } = await forger.commitWith(bed().pki.user('Org2MSP'));
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('takes an endorsement by another peer of the organisation', async () => {
    const second = await bed().pki.issue('Org2MSP', 'peer1', 'peer');
    const { code } = await forger.commitWith(second);
    expect(code).toBe(VALID);
  });

  it('counts two endorsements of one peer once', async () => {
    const { code } = await forger.commit(
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
    const { code } = await forger.commitWith(second);
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('takes away an endorsement at its peril', async () => {
    const { code } = await forger.commit((parts) => {
      const [first] = parts.endorsed.getEndorsementsList();
      parts.endorsed.setEndorsementsList(first ? [first] : []);
    });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses a transaction without endorsements', async () => {
    const { code } = await forger.commit((parts) => parts.endorsed.setEndorsementsList([]));
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('does not mind a false endorsement beside enough true ones', async () => {
    const foreign = await impostor('Org3MSP', 'peer');
    const { code } = await forger.commitWith(foreign, ['Org1MSP', 'Org2MSP']);
    expect(code).toBe(VALID);
  });

  it('refuses other arguments than the endorsed ones', async () => {
    const other = proposalPayload('everything', ['put', bed().unique('other'), 'forged']).serializeBinary();
    const { code } = await forger.commit((parts) => parts.actionPayload.setChaincodeProposalPayload(other));
    expect(code).toBe(StatusCode.INVALID_ENDORSER_TRANSACTION);
  });

  it('refuses a transaction that names another chaincode than was endorsed', async () => {
    const { code } = await forger.commit((parts) =>
      parts.chaincodeAction.getChaincodeId()?.setName('nested'),
    );
    expect([StatusCode.INVALID_OTHER_REASON, StatusCode.INVALID_CHAINCODE]).toContain(code);
  });

  it('refuses writes to a chaincode that the transaction did not call, unendorsed by its policy', async () => {
    const { code } = await forger.commit((parts) => {
      const [entry] = parts.results.getNsRwsetList();
      entry?.setNamespace(chaincodes.neighbour.name);
    });
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });
}
