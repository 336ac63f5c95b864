import { consortium } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { identity } from './support/identities.js';

const { InstitutionContract, ResearcherContract } = consortium;

describe('a researcher', () => {
  let alliance: Alliance;
  let researcherId: string;
  beforeEach(async () => {
    alliance = await Alliance.create([[], [], []], 2);
    ({ researcherId } = await alliance.ask(ResearcherContract.Get, {}));
  });
  afterEach(() => alliance?.[Symbol.asyncDispose]());

  const byOperator = (
    definition: typeof ResearcherContract.Suspend | typeof ResearcherContract.Restore,
    operator = alliance.operator,
  ) =>
    alliance.ledger.call(
      definition,
      definition === ResearcherContract.Suspend ? { researcherId, reason: 'Left.' } : { researcherId },
      { identity: operator },
    );
  /** Proposed by one, approved by two of three. */
  const carry = async (kind: 'suspendResearcher' | 'restoreResearcher', motionId: string) => {
    const reason = 'As discussed.';
    await alliance.as(alliance.member(0), InstitutionContract.Propose, {
      motionId,
      kind,
      researcherId,
      reason,
    });
    for (const index of [0, 1])
      await alliance.as(alliance.member(index), InstitutionContract.Vote, { motionId, approve: true });
    return alliance.as(alliance.member(2), InstitutionContract.CloseMotion, { motionId });
  };
  const read = () => alliance.ask(ResearcherContract.Get, { researcherId });
  /** A request that asks for an unknown dataset: NOT_FOUND says that the researcher may ask. */
  const asks = () => alliance.request('any', { datasets: ['none'] });

  it('is suspended and restored by the operator of its own organisation, and by no other', async () => {
    await expect(asks()).rejects.toThrow('NOT_FOUND');
    for (const role of ['operator', 'institution', 'auditor'])
      await expect(
        byOperator(ResearcherContract.Suspend, await identity('Hospital1MSP', role, role)),
      ).rejects.toThrow(role === 'operator' ? 'NOT_A_PARTY' : 'ROLE_REQUIRED');
    expect(await byOperator(ResearcherContract.Suspend)).toMatchObject({
      status: 'SUSPENDED',
      suspensions: { home: { by: 'ResearchMSP/CN=operator,OU=client', reason: 'Left.' } },
    });
    await expect(byOperator(ResearcherContract.Suspend)).rejects.toThrow('ILLEGAL_STATE');
    await expect(asks()).rejects.toThrow('NOT_REGISTERED');
    expect(await byOperator(ResearcherContract.Restore)).toMatchObject({ status: 'ACTIVE', suspensions: {} });
    await expect(byOperator(ResearcherContract.Restore)).rejects.toThrow('ILLEGAL_STATE');
    await expect(asks()).rejects.toThrow('NOT_FOUND');
  });

  it('is suspended by the members’ vote, and stays so whatever its own organisation lifts', async () => {
    await expect(carry('restoreResearcher', 'm-0')).rejects.toThrow('ILLEGAL_STATE');
    expect(await carry('suspendResearcher', 'm-1')).toMatchObject({ state: 'CARRIED', needed: 2 });
    expect(await read()).toMatchObject({ status: 'SUSPENDED', suspensions: { members: { by: 'm-1' } } });
    await expect(asks()).rejects.toThrow('NOT_REGISTERED');
    await byOperator(ResearcherContract.Suspend);
    await byOperator(ResearcherContract.Restore);
    await expect(asks()).rejects.toThrow('NOT_REGISTERED');
    await expect(carry('suspendResearcher', 'm-2')).rejects.toThrow('ILLEGAL_STATE');
    await carry('restoreResearcher', 'm-3');
    expect(await read()).toMatchObject({ status: 'ACTIVE', suspensions: {} });
  });

  it('does not choose its affiliation again, and rotates the key that results are sealed to', async () => {
    const change = { researcherId, affiliation: 'University' };
    await expect(
      alliance.ledger.call(ResearcherContract.Affiliate, change, { identity: alliance.researcher }),
    ).rejects.toThrow('ROLE_REQUIRED');
    await alliance.ledger.call(ResearcherContract.Affiliate, change, { identity: alliance.operator });
    const sealingKey = Buffer.alloc(1216, 7).toString('base64');
    // With a renewed certificate of the same subject.
    alliance.researcher = await identity('ResearchMSP', 'alice', 'researcher');
    await alliance.ask(ResearcherContract.RotateKey, { sealingKey });
    expect(await read()).toMatchObject({ affiliation: 'University', sealingKey, status: 'ACTIVE' });
  });
});
