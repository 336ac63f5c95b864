import { StatusCode } from '@hyperledger/fabric-gateway';
import type { Bed } from '../harness/bed.js';
import { Forger } from '../harness/forger.js';
import { alterEvent, alterReadVersion, alterValue } from '../harness/transaction.js';

const { VALID, ENDORSEMENT_POLICY_FAILURE } = StatusCode;

/** Transactions that were changed by hand, and that enough peers signed all the same: what validation still finds. */
export function conspiracy(bed: () => Bed): void {
  const forger = new Forger(bed);

  it('believes a changed value', async () => {
    const { code, key } = await forger.conspire((parts) => alterValue(parts, 'agreed'));
    expect(code).toBe(VALID);
    await expect(bed().evaluate('get', key)).resolves.toBe('agreed');
  });

  it('compares a changed read set with the state', async () => {
    const { code } = await forger.conspire(alterReadVersion, {
      args: ['increment', bed().unique('counter')],
    });
    expect(code).toBe(StatusCode.MVCC_READ_CONFLICT);
  });

  it('refuses writes to a chaincode that is not there', async () => {
    const { code } = await forger.conspire((parts) =>
      parts.results.getNsRwsetList()[1]?.setNamespace('missing'),
    );
    expect(code).toBe(StatusCode.INVALID_CHAINCODE);
  });

  it('refuses writes under another policy than they need', async () => {
    const { code } = await forger.conspire((parts) =>
      parts.results.getNsRwsetList()[1]?.setNamespace('all-three'),
    );
    expect(code).toBe(ENDORSEMENT_POLICY_FAILURE);
  });

  it('refuses writes to system chaincodes', async () => {
    const { code } = await forger.conspire((parts) =>
      parts.results.getNsRwsetList()[1]?.setNamespace('qscc'),
    );
    expect(code).toBe(StatusCode.INVALID_CHAINCODE);
  });

  it('refuses a namespace that comes twice', async () => {
    const { code } = await forger.conspire((parts) => {
      const [, entry] = parts.results.getNsRwsetList();
      if (entry) parts.results.addNsRwset(entry.clone());
    });
    expect(code).toBe(StatusCode.ILLEGAL_WRITESET);
  });

  it('refuses results that are none', async () => {
    const { code } = await forger.conspire((parts) =>
      parts.results.getNsRwsetList()[1]?.setRwset(Buffer.from('nonsense')),
    );
    expect(code).toBe(StatusCode.BAD_RWSET);
  });

  it('refuses an event of another chaincode', async () => {
    const { code } = await forger.conspire(
      (parts) => alterEvent(parts, (event) => event.setChaincodeId('neighbour')),
      { args: ['Calls:emit', bed().unique('event'), 'x'] },
    );
    expect(code).toBe(StatusCode.INVALID_OTHER_REASON);
  });

  it('refuses results of another proposal', async () => {
    const { code } = await forger.conspire((parts) =>
      parts.responsePayload.setProposalHash(Buffer.alloc(32, 1)),
    );
    expect(code).toBe(StatusCode.INVALID_ENDORSER_TRANSACTION);
  });

  it('does not mind another version of the chaincode in the results', async () => {
    const { code } = await forger.conspire((parts) =>
      parts.chaincodeAction.getChaincodeId()?.setVersion('0.9'),
    );
    expect(code).toBe(VALID);
  });
}
