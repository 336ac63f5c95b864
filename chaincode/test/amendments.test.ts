import { type AnalysisQuery } from '@strokeshare/fhe';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import { consortium, signDetached } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { type Institution } from './support/foundation.js';

const { AgreementContract, InstitutionContract, PermissionContract } = consortium;
const countAll: AnalysisQuery = { version: 1, statistics: [{ id: 'n', kind: 'count' }] };
const DAY = 86_400_000;

describe('amendments', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(40, 1), cohort(40, 2), cohort(40, 3)], 2);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  const id = (name: string) => ({ agreementId: `agreement-${name}` });
  const get = (name: string) => alliance.ask(AgreementContract.Get, id(name));
  const version = (name: string, number: number) =>
    alliance.ask(AgreementContract.Version, { ...id(name), version: number });
  const amend = (name: string, grant: object, by = 0) =>
    alliance.as(alliance.member(by), AgreementContract.Amend, {
      ...id(name),
      textHash: '2'.repeat(64),
      terms: 'Amended.',
      grant,
    });
  const signLatest = async (name: string, member: Institution) => {
    const { amendment } = await get(name);
    return alliance.as(member, AgreementContract.Sign, {
      ...id(name),
      version: amendment!.content.version,
      signature: signDetached(amendment!.content, member.signing),
    });
  };
  const signAll = async (name: string, indexes = [0, 1, 2]) => {
    for (const index of indexes) await signLatest(name, alliance.member(index));
  };

  it('grant part of what was asked, and never more', async () => {
    await alliance.request('part');
    const propose = (grant: object) =>
      alliance.as(alliance.member(0), AgreementContract.Propose, {
        ...id('part'),
        permissionId: 'permission-part',
        textHash: '1'.repeat(64),
        terms: '',
        grant,
      });
    for (const grant of [
      { releaseBudget: 501 },
      { minimumCohort: 19 },
      { variables: ['AGE', 'OTHER'] },
      { until: new Date(alliance.ledger.now + 31 * DAY).toISOString() },
    ])
      await expect(propose(grant)).rejects.toThrow('BAD_REQUEST: The agreement would grant more');
    await expect(propose({ datasets: ['ist-2'] })).rejects.toThrow('NOT_A_PARTY');
    const { content } = await propose({
      datasets: ['ist-1', 'ist-2'],
      variables: ['AGE'],
      statistics: ['count'],
      minimumCohort: 30,
      privacy: { budget: 1_000_000, perValue: 1000 },
    });
    expect(content).toMatchObject({
      version: 1,
      owners: ['Hospital1MSP', 'Hospital2MSP'],
      permission: { datasets: ['ist-1', 'ist-2'], releaseBudget: 500, purpose: 'DUO:0000007' },
    });
    for (const index of [0, 1]) await alliance.sign('part', alliance.member(index));
    expect(await alliance.ask(PermissionContract.Get, { permissionId: 'permission-part' })).toMatchObject({
      state: 'GRANTED',
      variables: expect.arrayContaining(['STYPE']),
      granted: { variables: ['AGE'], minimumCohort: 30 },
    });
    const refused = await alliance.submit(
      'part-1',
      {
        version: 1,
        statistics: [{ id: 'm', kind: 'mean', variable: 'RSBP' }],
      },
      id('part'),
    );
    expect(refused).toMatchObject({ state: 'REFUSED', refusal: { rule: 'variables' } });
  });

  it('hold once all have signed; until then the version before does, and its jobs go on', async () => {
    await alliance.agree('a');
    const before = await get('a');
    const job = await alliance.submit('a-1', countAll, id('a'));
    expect(job).toMatchObject({ agreementVersion: 1, agreementDigest: before.digest, state: 'SUBMITTED' });
    const proposed = await amend('a', { variables: ['AGE'] });
    expect(proposed.content).toMatchObject({ version: 2, amends: before.digest });
    await signAll('a', [0, 1]);
    expect(await get('a')).toMatchObject({
      state: 'ACTIVE',
      digest: before.digest,
      amendment: { versionState: 'PROPOSED', digest: proposed.digest },
    });
    await alliance.evaluate(job, alliance.member(0));
    await signAll('a', [2]);
    const after = await get('a');
    expect(after).toMatchObject({ state: 'ACTIVE', digest: proposed.digest, versionState: 'IN_FORCE' });
    expect(after.amendment).toBeUndefined();
    expect(await version('a', 1)).toMatchObject({ versionState: 'SUPERSEDED', digest: before.digest });
    // A job is decided and released under the version that it names, or not at all.
    await expect(alliance.evaluate(job, alliance.member(1))).rejects.toThrow('AGREEMENT_AMENDED');
    expect(await alliance.submit('a-2', countAll, id('a'))).toMatchObject({ agreementVersion: 2 });
    // What was signed then stays provable: the content, and who signed it.
    expect(Object.keys((await version('a', 1)).signatures)).toHaveLength(3);
  });

  it('are refused, and replaced by another that takes all signatures anew', async () => {
    await alliance.agree('b');
    await amend('b', { variables: ['AGE'] });
    await signLatest('b', alliance.member(0));
    await alliance.as(alliance.member(1), AgreementContract.Refuse, {
      ...id('b'),
      version: 2,
      reason: 'No.',
    });
    expect(await get('b')).toMatchObject({
      state: 'ACTIVE',
      content: { version: 1 },
      amendment: { versionState: 'REFUSED', refusals: { Hospital2MSP: { reason: 'No.' } } },
    });
    await expect(signLatest('b', alliance.member(2))).rejects.toThrow('ILLEGAL_STATE');
    await amend('b', { statistics: ['count'] }, 1);
    // The version refused and the one before it take no signatures any more.
    const { content } = await version('b', 2);
    const late = { ...id('b'), signature: signDetached(content, alliance.member(2).signing) };
    const sign = (request: object) =>
      alliance.as(alliance.member(2), AgreementContract.Sign, { ...late, ...request });
    await expect(sign({ version: 2 })).rejects.toThrow('ILLEGAL_STATE');
    await expect(sign({})).rejects.toThrow('BAD_SIGNATURE');
    await signAll('b');
    expect(await get('b')).toMatchObject({ state: 'ACTIVE', content: { version: 3 } });
    expect(await version('b', 2)).toMatchObject({ versionState: 'SUPERSEDED' });
    await expect(amend('b', { releaseBudget: 501 })).rejects.toThrow('BAD_REQUEST');
  });

  it('do not bring back an agreement that has ended', async () => {
    await alliance.agree('c');
    await amend('c', {});
    await signAll('c', [0, 1]);
    await alliance.as(alliance.member(2), AgreementContract.Terminate, { ...id('c'), reason: 'Enough.' });
    await expect(signLatest('c', alliance.member(2))).rejects.toThrow('ILLEGAL_STATE');
    await expect(amend('c', {})).rejects.toThrow('ILLEGAL_STATE');
    expect(await get('c')).toMatchObject({ state: 'TERMINATED' });
    // Nor one whose period is over, though the amendment's is not.
    await alliance.agree('d', { until: new Date(alliance.ledger.now + 10 * DAY).toISOString() });
    await amend('d', { until: new Date(alliance.ledger.now + 5 * DAY).toISOString() });
    await signAll('d');
    await amend('d', {});
    await signAll('d', [0, 1]);
    alliance.ledger.now += 6 * DAY;
    await expect(signLatest('d', alliance.member(2))).rejects.toThrow('ILLEGAL_STATE');
    expect(await get('d')).toMatchObject({ state: 'EXPIRED' });
    alliance.ledger.now -= 6 * DAY;
  });

  it('charge agreed privacy before anything is released, and refuse what is beyond its budget', async () => {
    await alliance.agree('rho', { privacy: { budget: 2500, perValue: 1000 } });
    const mean: AnalysisQuery = { version: 1, statistics: [{ id: 'm', kind: 'mean', variable: 'AGE' }] };
    const first = await alliance.submit('rho-1', mean, id('rho'));
    const values = first.cells.filter(({ kind }) => kind === 'value').length;
    expect(first).toMatchObject({ state: 'SUBMITTED', spentMicroRho: 1000 * values });
    expect((await get('rho')).spentMicroRho).toBe(1000 * values);
    let last = first;
    for (let i = 2; last.state === 'SUBMITTED' && i < 5; i++)
      last = await alliance.submit(`rho-${i}`, mean, id('rho'));
    expect(last).toMatchObject({ state: 'REFUSED', refusal: { code: 'PRIVACY_BUDGET_EXHAUSTED' } });
    expect((await get('rho')).spentMicroRho).toBeLessThanOrEqual(2500);
    // Counts cost nothing of it.
    expect(await alliance.submit('rho-n', countAll, id('rho'))).toMatchObject({ spentMicroRho: 0 });
  });

  it('and every other transition need no peer of an excluded owner', async () => {
    for (const name of ['x', 'y', 'z']) await alliance.agree(name);
    await amend('z', { variables: ['AGE'] });
    await alliance.as(alliance.member(0), InstitutionContract.Propose, {
      motionId: 'out',
      kind: 'exclude',
      mspId: 'Hospital3MSP',
      reason: 'It left.',
    });
    for (const index of [0, 1])
      await alliance.as(alliance.member(index), InstitutionContract.Vote, { motionId: 'out', approve: true });
    await alliance.as(alliance.member(0), InstitutionContract.CloseMotion, { motionId: 'out' });

    /** Keys that a transaction writes and the excluded owner's peer alone could endorse. */
    const heldBack = async (
      definition: (typeof AgreementContract)['Suspend'] | (typeof AgreementContract)['Amend'],
      request: object,
      by = 0,
    ) => {
      const { writes } = await alliance.ledger.simulate(definition, request, {
        identity: alliance.member(by).agent,
      });
      return [...writes.keys()].filter(
        (key) => key.includes('agreement.signature') && key.includes('Hospital3MSP'),
      );
    };
    const reason = { reason: 'The owner is gone.' };
    expect(await heldBack(AgreementContract.Suspend, { ...id('x'), ...reason })).toEqual([]);
    await alliance.as(alliance.member(0), AgreementContract.Suspend, { ...id('x'), ...reason });
    await alliance.as(alliance.member(0), AgreementContract.Resume, id('x'));
    await alliance.as(alliance.member(1), AgreementContract.Terminate, { ...id('y'), ...reason });
    expect([(await get('x')).state, (await get('y')).state]).toEqual(['ACTIVE', 'TERMINATED']);
    await expect(
      alliance.as(alliance.member(2), AgreementContract.Suspend, { ...id('x'), ...reason }),
    ).rejects.toThrow('NOT_ENROLLED');

    // The rest amend it to their own datasets; the amendment that waited for the excluded one is replaced.
    await expect(amend('x', { variables: ['AGE'] })).rejects.toThrow(
      'ILLEGAL_STATE: Hospital3MSP is no member',
    );
    for (const name of ['x', 'z']) {
      const grant = { datasets: ['ist-1', 'ist-2'] };
      expect(
        await heldBack(AgreementContract.Amend, { ...id(name), textHash: '3'.repeat(64), terms: '', grant }),
      ).toEqual([]);
      await amend(name, grant);
      await signAll(name, [0, 1]);
      expect(await get(name)).toMatchObject({
        state: 'ACTIVE',
        content: { owners: ['Hospital1MSP', 'Hospital2MSP'] },
      });
      expect(await alliance.submit(`after-${name}`, countAll, id(name))).toMatchObject({
        state: 'SUBMITTED',
      });
    }
  });
});
