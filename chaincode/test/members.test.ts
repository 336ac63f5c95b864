import { generateSealingKeyPair, type Query } from '@strokeshare/fhe';
import { neededApprovals } from '../src/consortium/members.js';
import { closeEvaluators } from '../src/evaluation/evaluators.js';
import {
  consortium,
  institutionLevels,
  levelRights,
  mayHoldKeys,
  signingKeyAt,
  type InstitutionLevel,
} from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { type Institution } from './support/foundation.js';
import { identity, signingKeys } from './support/identities.js';
import { MvccConflict } from './support/memoryLedger.js';

const { InstitutionContract, KeyEpochContract, JobContract } = consortium;
const DAY = 86_400_000;
const countAll: Query = { version: 1, statistics: [{ id: 'n', kind: 'count' }] };

describe('votes', () => {
  it.each([
    ['majority', [1, 2, 2, 3, 3]],
    ['twoThirds', [1, 2, 2, 3, 4]],
    ['all', [1, 2, 3, 4, 5]],
  ] as const)('need by the rule %s as many approvals of 1 to 5 members', (rule, needed) => {
    expect([1, 2, 3, 4, 5].map((voters) => neededApprovals(rule, voters))).toEqual(needed);
  });
});

describe('membership', () => {
  let alliance: Alliance;
  let guest: Institution;
  beforeEach(async () => {
    alliance = await Alliance.create([[], [], [], []], 2);
    const { privateKey, pem } = signingKeys();
    guest = {
      ...alliance.member(0),
      mspId: 'Hospital9MSP',
      agent: await identity('Hospital9MSP', 'agent', 'institution'),
      signing: privateKey,
      signingPem: pem,
      sealing: await generateSealingKeyPair(),
    };
  });
  afterEach(() => alliance?.[Symbol.asyncDispose]());

  const propose = (motionId: string, kind: 'admit' | 'exclude', mspId: string, index = 0) =>
    alliance.as(alliance.member(index), InstitutionContract.Propose, {
      motionId,
      mspId,
      reason: 'As discussed.',
      ...(kind === 'admit' ? { kind, level: 'county' } : { kind }),
    });
  const vote = (motionId: string, index: number, approve = true) =>
    alliance.as(alliance.member(index), InstitutionContract.Vote, { motionId, approve });
  const close = (motionId: string, index = 0) =>
    alliance.as(alliance.member(index), InstitutionContract.CloseMotion, { motionId });
  const seats = async () =>
    (await alliance.ask(InstitutionContract.Seats, {})).members.map(({ mspId }) => mspId);

  it('begins once, with members that name themselves', async () => {
    const found = (member: Institution, members: string[]) =>
      alliance.as(member, InstitutionContract.Found, {
        members: members.map((mspId) => ({ mspId, level: 'national' as const })),
        rule: 'all',
      });
    await expect(found(alliance.member(0), ['Hospital1MSP'])).rejects.toThrow('ALREADY_EXISTS');
    await expect(found(guest, ['Hospital1MSP'])).rejects.toThrow('NOT_A_PARTY');
    expect(await seats()).toEqual(alliance.institutions.map(({ mspId }) => mspId));
  });

  it('is not to be had by enrolling oneself', async () => {
    await expect(alliance.enroll(guest)).rejects.toThrow('NOT_A_PARTY');
    await expect(
      alliance.as(guest, InstitutionContract.Vote, { motionId: 'any', approve: true }),
    ).rejects.toThrow('NOT_ENROLLED');
  });

  it('is given by the members’ vote, at the level that they voted on', async () => {
    await propose('m-1', 'admit', guest.mspId);
    await vote('m-1', 0);
    await vote('m-1', 1);
    await expect(vote('m-1', 1, false)).rejects.toThrow('ALREADY_EXISTS');
    await expect(close('m-1')).rejects.toThrow('ILLEGAL_STATE: The motion m-1 has 2 of 3 approvals');
    await expect(alliance.enroll(guest)).rejects.toThrow('NOT_A_PARTY');
    await vote('m-1', 2);
    expect(await close('m-1', 3)).toMatchObject({ state: 'CARRIED', approvals: 3, needed: 3 });
    await expect(close('m-1')).rejects.toThrow('ILLEGAL_STATE');
    await expect(vote('m-1', 3)).rejects.toThrow('ILLEGAL_STATE');
    expect(await alliance.enroll(guest)).toMatchObject({ level: 'county', status: 'ACTIVE' });
    await expect(alliance.enroll(guest)).rejects.toThrow('ALREADY_EXISTS');
    await expect(propose('m-2', 'admit', guest.mspId)).rejects.toThrow('ILLEGAL_STATE');
    const { votes } = await alliance.ask(InstitutionContract.Motion, { motionId: 'm-1' });
    expect(Object.keys(votes)).toEqual(['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP']);
  });

  it('is refused when too few are left who could approve', async () => {
    await propose('m-1', 'admit', guest.mspId);
    await vote('m-1', 0, false);
    await expect(close('m-1')).rejects.toThrow('ILLEGAL_STATE');
    await vote('m-1', 1, false);
    expect(await close('m-1')).toMatchObject({ state: 'REJECTED', approvals: 0 });
    await expect(alliance.enroll(guest)).rejects.toThrow('NOT_A_PARTY');
  });

  it('is taken by vote, without the one concerned, and with it every right', async () => {
    await propose('m-1', 'exclude', 'Hospital4MSP');
    await expect(vote('m-1', 3, false)).rejects.toThrow('NOT_A_PARTY');
    await vote('m-1', 0);
    await vote('m-1', 1);
    expect(await close('m-1')).toMatchObject({ state: 'CARRIED', needed: 2 });
    expect(await seats()).toEqual(['Hospital1MSP', 'Hospital2MSP', 'Hospital3MSP']);
    await expect(propose('m-2', 'admit', guest.mspId, 3)).rejects.toThrow('NOT_ENROLLED');
    await expect(alliance.enroll(alliance.member(3))).rejects.toThrow('NOT_A_PARTY');
    // Admitted again, it enters new keys.
    await propose('m-3', 'admit', 'Hospital4MSP');
    await vote('m-3', 0);
    await vote('m-3', 2);
    await close('m-3');
    expect(await alliance.enroll(alliance.member(3))).toMatchObject({ status: 'ACTIVE', level: 'county' });
  });

  it('goes on with a renewed certificate of the same subject, and with rotated keys', async () => {
    const member = alliance.member(0);
    const { pem } = signingKeys();
    alliance.ledger.now += DAY;
    const from = new Date(alliance.ledger.now).toISOString();
    const renewed = { ...member, agent: await identity(member.mspId, 'agent', 'institution') };
    const sealingKey = Buffer.from((await generateSealingKeyPair()).publicKey).toString('base64');
    const rotate = (as: Institution, signingKey: string) =>
      alliance.as(as, InstitutionContract.RotateKeys, { signingKey, sealingKey });
    const rotated = await rotate(renewed, pem);
    expect(rotated).toMatchObject({ signingKey: pem, sealingKey, status: 'ACTIVE', name: expect.anything() });
    expect(rotated.signingKeys).toEqual([
      { signingKey: member.signingPem, from: new Date(alliance.ledger.now - DAY).toISOString(), until: from },
      { signingKey: pem, from },
    ]);
    expect(signingKeyAt(rotated, new Date(alliance.ledger.now - 1).toISOString())).toBe(member.signingPem);
    expect(signingKeyAt(rotated, from)).toBe(pem);
    expect(signingKeyAt(rotated, new Date(0).toISOString())).toBeUndefined();
    // No key comes back, no other identity rotates, and no other curve is a key.
    await expect(rotate(renewed, member.signingPem)).rejects.toThrow('BAD_KEY');
    const stranger = { ...member, agent: await identity(member.mspId, 'clerk', 'institution') };
    await expect(rotate(stranger, signingKeys().pem)).rejects.toThrow('NOT_ENROLLED');
    await expect(rotate(renewed, pem.replaceAll('A', 'B'))).rejects.toThrow('BAD_KEY');
  });

  it('keeps the periods of all keys through an exclusion and a new admission', async () => {
    const member = alliance.member(3);
    const carry = async (motionId: string, kind: 'admit' | 'exclude') => {
      alliance.ledger.now += DAY;
      await propose(motionId, kind, member.mspId);
      for (const index of [0, 1, 2]) await vote(motionId, index);
      await close(motionId);
    };
    await carry('m-out', 'exclude');
    const excluded = await alliance.ask(InstitutionContract.Get, { mspId: member.mspId });
    const left = new Date(alliance.ledger.now).toISOString();
    expect(excluded).toMatchObject({ status: 'EXCLUDED', signingKeys: [{ until: left }] });
    expect(signingKeyAt(excluded, left)).toBeUndefined();
    await carry('m-in', 'admit');
    const { pem } = signingKeys();
    const back = await alliance.enroll({ ...member, signingPem: pem });
    expect(back.signingKeys.map(({ signingKey }) => signingKey)).toEqual([member.signingPem, pem]);
    expect(signingKeyAt(back, back.enrolledAt)).toBe(pem);
    expect(signingKeyAt(back, back.signingKeys[0]!.from)).toBe(member.signingPem);
  });

  it('lets all vote at once, and counts in one transaction', async () => {
    await propose('m-1', 'admit', guest.mspId);
    const simulations: Awaited<ReturnType<typeof alliance.ledger.simulate>>[] = [];
    for (const { agent } of alliance.institutions)
      simulations.push(
        await alliance.ledger.simulate(
          InstitutionContract.Vote,
          { motionId: 'm-1', approve: true },
          { identity: agent },
        ),
      );
    for (const simulation of simulations) alliance.ledger.commit(simulation);
    expect(() => alliance.ledger.commit(simulations[0]!)).toThrow(MvccConflict);
    expect(await close('m-1')).toMatchObject({ state: 'CARRIED', approvals: 4 });
  });

  it('is hosted by a member of a higher level only, and then holds no key', async () => {
    const admit = (level: InstitutionLevel, hostedBy: string, motionId = 'm-1') =>
      alliance.as(alliance.member(0), InstitutionContract.Propose, {
        motionId,
        kind: 'admit',
        mspId: guest.mspId,
        level,
        hostedBy,
        reason: 'It runs at the centre above it.',
      });
    for (const [level, hostedBy] of [
      ['municipal', 'Hospital1MSP'],
      ['national', 'Hospital1MSP'],
      ['community', 'Hospital8MSP'],
    ] as const)
      await expect(admit(level, hostedBy)).rejects.toThrow('LEVEL_INSUFFICIENT');
    await admit('county', 'Hospital1MSP');
    for (const index of [0, 1, 2]) await vote('m-1', index);
    await close('m-1');
    expect(await alliance.enroll(guest)).toMatchObject({ level: 'county', hostedBy: 'Hospital1MSP' });
    expect(mayHoldKeys({ level: 'municipal' })).toBe(true);
    expect(mayHoldKeys({ level: 'municipal', hostedBy: 'Hospital1MSP' })).toBe(false);
  });

  it('gives each level its rights', async () => {
    await propose('m-1', 'admit', guest.mspId);
    for (const index of [0, 1, 2]) await vote('m-1', index);
    await close('m-1');
    await alliance.enroll(guest);
    const open = alliance.as(alliance.member(0), KeyEpochContract.Open, {
      epochId: EPOCH,
      parameterSet: 'toy',
      threshold: 2,
      members: ['Hospital1MSP', guest.mspId],
    });
    await expect(open).rejects.toThrow('LEVEL_INSUFFICIENT: Hospital9MSP is of level county');
    expect(Object.keys(levelRights)).toEqual([...institutionLevels]);
    // Small institutions propose nothing, and vote all the same.
    await alliance.as(alliance.member(0), InstitutionContract.Propose, {
      motionId: 'm-small',
      kind: 'admit',
      mspId: 'Hospital8MSP',
      level: 'community',
      reason: 'As discussed.',
    });
    for (const index of [0, 1, 2]) await vote('m-small', index);
    await close('m-small');
    const small = {
      ...guest,
      mspId: 'Hospital8MSP',
      agent: await identity('Hospital8MSP', 'agent', 'institution'),
    };
    await alliance.enroll(small);
    const motion = { motionId: 'm-9', kind: 'exclude' as const, mspId: guest.mspId, reason: 'No.' };
    await expect(alliance.as(small, InstitutionContract.Propose, motion)).rejects.toThrow(
      'LEVEL_INSUFFICIENT',
    );
    await alliance.as(alliance.member(0), InstitutionContract.Propose, motion);
    await alliance.as(small, InstitutionContract.Vote, { motionId: 'm-9', approve: false });
  });
});

describe('after an exclusion', () => {
  let alliance: Alliance;
  beforeAll(async () => {
    alliance = await Alliance.ready([cohort(40, 1), cohort(40, 2), cohort(40, 3)], 2);
    await alliance.agree('others', { datasets: ['ist-2', 'ist-3'] }, 1);
  });
  afterAll(async () => {
    await alliance?.[Symbol.asyncDispose]();
    await closeEvaluators();
  });

  it('the institution’s data is out of use, and jobs of the others go on with the holders that are left', async () => {
    const running = await alliance.submit('running', countAll);
    await alliance.as(alliance.member(1), InstitutionContract.Propose, {
      motionId: 'm-1',
      kind: 'exclude',
      mspId: 'Hospital1MSP',
      reason: 'It left.',
    });
    for (const index of [1, 2])
      await alliance.as(alliance.member(index), InstitutionContract.Vote, { motionId: 'm-1', approve: true });
    await alliance.as(alliance.member(1), InstitutionContract.CloseMotion, { motionId: 'm-1' });

    expect(await alliance.submit('both', countAll)).toMatchObject({
      state: 'REFUSED',
      refusal: { rule: 'datasets', code: 'DATASET_NOT_AVAILABLE' },
    });
    await expect(alliance.evaluate(running, alliance.member(1))).rejects.toThrow('DATASET_NOT_AVAILABLE');

    const job = await alliance.submit('others', countAll, { agreementId: 'agreement-others' });
    expect(job).toMatchObject({ state: 'SUBMITTED', participants: ['Hospital2MSP', 'Hospital3MSP'] });
    for (const index of [1, 2]) await alliance.evaluate(job, alliance.member(index));
    await alliance.aggregate(job, undefined, 1);
    const { committee } = await alliance.ask(JobContract.Get, { jobId: 'others' });
    expect(committee).toEqual([
      { mspId: 'Hospital2MSP', index: 2 },
      { mspId: 'Hospital3MSP', index: 3 },
    ]);
  });
});
