import { randomBytes } from 'node:crypto';
import {
  type CeremonyLabel,
  ceremonyStates,
  ceremonySteps,
  consortium,
  type Offender,
  type RequestOf,
} from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { identity } from './support/identities.js';

const { KeyEpochContract, DatasetContract } = consortium;
const hash = (letter: string): string => letter.repeat(64);
const STEP_MS = 60_000;

let alliance: Alliance;
let members: string[];
beforeEach(async () => {
  alliance = await Alliance.create([[], [], []], 2);
  members = alliance.institutions.map(({ mspId }) => mspId);
  await alliance.as(alliance.member(0), KeyEpochContract.Open, {
    epochId: EPOCH,
    parameterSet: 'toy',
    threshold: 2,
    members,
    stepSeconds: STEP_MS / 1000,
    retiresAt: new Date(alliance.ledger.now + 100 * STEP_MS).toISOString(),
  });
});
afterEach(() => alliance?.[Symbol.asyncDispose]());

const get = () => alliance.ask(KeyEpochContract.Get, { epochId: EPOCH });
const message = () => randomBytes(32 + 1216);
const sent = (round: readonly CeremonyLabel[]) =>
  Object.fromEntries(round.map((label) => [label, new Map(members.map((member) => [member, message()]))]));
const abort = (index = 0) =>
  alliance.as(alliance.member(index), KeyEpochContract.Abort, { epochId: EPOCH, reason: 'late' });
const restart = (changes: Partial<RequestOf<typeof KeyEpochContract.Restart>> = {}, index = 0) =>
  alliance.as(alliance.member(index), KeyEpochContract.Restart, { epochId: EPOCH, ...changes });
/** Up to a state of the ceremony, every round done. */
async function reach(state: (typeof ceremonyStates)[number]): Promise<void> {
  for (const from of ceremonyStates) {
    if (from === state) return;
    for (const round of ceremonySteps[from]!.rounds) await alliance.exchange(sent(round));
    await alliance.advance(from);
  }
}
const confirmAll = async () => {
  for (const member of alliance.institutions)
    await alliance.as(member, KeyEpochContract.Confirm, {
      epochId: EPOCH,
      publicKeyHash: hash('a'),
      relinKeysHash: hash('b'),
    });
};

describe('deadlines of the ceremony', () => {
  it('let any member end the attempt, and the ledger names who was silent', async () => {
    const seeds = new Map(members.map((member) => [member, message()]));
    const reveals = await alliance.commitAll('seed', seeds);
    await reveals[0]!();
    await reveals[2]!();
    alliance.ledger.now += STEP_MS;
    await expect(reveals[1]!()).rejects.toThrow('DEADLINE_PASSED');
    await abort(2);
    expect((await get()).abort).toMatchObject({ by: members[2], silent: [members[1]] });
  });

  it.each([
    ['COMMITTED', ['publicKey', 'relin1']],
    ['ROUND1', ['relin2']],
    ['ROUND2', ['dealing']],
  ] as const)('of %s name who did not commit', async (state, labels) => {
    await reach(state);
    for (const label of labels)
      await alliance.as(alliance.member(1), KeyEpochContract.Commit, {
        epochId: EPOCH,
        label,
        commitment: hash('c'),
      });
    alliance.ledger.now += STEP_MS;
    const commit = alliance.as(alliance.member(0), KeyEpochContract.Commit, {
      epochId: EPOCH,
      label: labels[0],
      commitment: hash('d'),
    });
    await expect(commit).rejects.toThrow('DEADLINE_PASSED');
    await abort();
    expect((await get()).abort?.silent).toEqual([members[0], members[2]]);
  });

  it('name who did not confirm; nobody is named before they pass', async () => {
    await reach('ROUND2');
    for (const round of ceremonySteps.ROUND2!.rounds) await alliance.exchange(sent(round));
    await alliance.as(alliance.member(0), KeyEpochContract.Confirm, {
      epochId: EPOCH,
      publicKeyHash: hash('a'),
      relinKeysHash: hash('b'),
    });
    const early = await alliance.ledger.simulate(
      KeyEpochContract.Abort,
      { epochId: EPOCH, reason: 'impatient' },
      { identity: alliance.member(0).agent },
    );
    expect(early.response).toMatchObject({ state: 'ABORTED', abort: { reason: 'impatient' } });
    expect(early.response).not.toHaveProperty('abort.silent');
    alliance.ledger.now += STEP_MS;
    await abort();
    expect((await get()).abort?.silent).toEqual([members[1], members[2]]);
  });

  it('do not hold a state that is complete', async () => {
    await alliance.exchange(sent(['seed']));
    alliance.ledger.now += 10 * STEP_MS;
    const { state, deadline } = await alliance.advance('OPEN', 2);
    expect(state).toBe('COMMITTED');
    expect(Date.parse(deadline)).toBe(alliance.ledger.now + STEP_MS);
  });
});

describe('another attempt', () => {
  it('uses no message, contribution or sealing key of one before, of its own or of another member', async () => {
    const seeds = new Map(members.map((member) => [member, message()]));
    const old = await alliance.commitAll('seed', seeds);
    for (const reveal of old) await reveal();
    await expect(restart()).rejects.toThrow('ILLEGAL_STATE');
    await abort();
    await expect(restart({ members: members.slice(1), threshold: 2 })).rejects.toThrow('NOT_A_PARTY');
    const outsider = { identity: await identity('Hospital9MSP', 'agent', 'institution') };
    await expect(
      alliance.ledger.call(KeyEpochContract.Restart, { epochId: EPOCH }, outsider),
    ).rejects.toThrow('NOT_ENROLLED');
    expect(await restart()).toMatchObject({ attempt: 2, state: 'OPEN' });
    // The openings of the first attempt open nothing here.
    await expect(old[0]!()).rejects.toThrow('ILLEGAL_STATE');
    alliance.attempt = 2;
    const mine = seeds.get(members[0]!)!;
    const theirs = seeds.get(members[1]!)!;
    const again = new Map([
      [members[0]!, mine],
      [members[1]!, Buffer.concat([randomBytes(32), theirs.subarray(32)])],
      [members[2]!, Buffer.concat([mine.subarray(0, 32), randomBytes(1216)])],
    ]);
    const reveals = await alliance.commitAll('seed', again);
    for (const reveal of reveals) await expect(reveal()).rejects.toThrow('ALREADY_EXISTS');
    await expect(old[0]!()).rejects.toThrow('BAD_COMMITMENT');
  });

  it('goes through with its own number, and keeps how the others ended', async () => {
    await reach('ROUND1');
    await abort(1);
    alliance.attempt = (await restart({ stepSeconds: 120 })).attempt;
    await reach('ROUND2');
    for (const round of ceremonySteps.ROUND2!.rounds) await alliance.exchange(sent(round));
    await confirmAll();
    await alliance.advance('ROUND2');
    const epoch = await get();
    expect(epoch).toMatchObject({ state: 'ACTIVE', attempt: 2, stepSeconds: 120 });
    expect(epoch.past).toMatchObject([
      { attempt: 1, state: 'ABORTED', abort: { by: members[1], reason: 'late' } },
    ]);
    await expect(restart()).rejects.toThrow('ILLEGAL_STATE');
  });
});

it('lets nobody dispute dealings before they are all shown', async () => {
  await reach('ROUND2');
  const dispute = alliance.as(alliance.member(0), KeyEpochContract.Dispute, {
    epochId: EPOCH,
    attempt: 1,
    reason: 'fails',
  });
  await expect(dispute).rejects.toThrow('ILLEGAL_STATE: Nothing is disputed before');
});

describe('disputed dealings', () => {
  const offenders: Offender[] = [{ member: 'Hospital2MSP', offence: 'other secret shared' }];
  const place = { epochId: EPOCH, attempt: 1 };
  const dispute = (index = 0, attempt = 1) =>
    alliance.as(alliance.member(index), KeyEpochContract.Dispute, {
      epochId: EPOCH,
      attempt,
      reason: 'fails',
    });
  const disclose = (index: number) =>
    alliance.as(alliance.member(index), KeyEpochContract.Disclose, { ...place, disclosure: 'AAAA' });
  const judge = (index: number, found: Offender[]) =>
    alliance.as(alliance.member(index), KeyEpochContract.Judge, { ...place, offenders: found });
  beforeEach(async () => {
    await reach('ROUND2');
    await alliance.exchange(sent(['dealing']));
  });

  it('end the attempt for good, and what a majority finds is the verdict', async () => {
    await expect(dispute(0, 2)).rejects.toThrow('ILLEGAL_STATE');
    await dispute();
    const confirmation = { epochId: EPOCH, publicKeyHash: hash('a'), relinKeysHash: hash('b') };
    await expect(alliance.as(alliance.member(1), KeyEpochContract.Confirm, confirmation)).rejects.toThrow(
      'ILLEGAL_STATE',
    );
    // The accused does not get out of it.
    await expect(abort(1)).rejects.toThrow('ILLEGAL_STATE');
    for (const index of [0, 1, 2]) await disclose(index);
    await expect(disclose(0)).rejects.toThrow('ALREADY_EXISTS');
    await judge(1, [{ member: 'Hospital1MSP', offence: 'dispute unfounded' }]);
    await judge(0, offenders);
    await expect(judge(0, [])).rejects.toThrow('ALREADY_EXISTS');
    await expect(judge(2, [{ member: 'Hospital9MSP', offence: 'key withheld' }])).rejects.toThrow(
      'BAD_REQUEST',
    );
    await expect(alliance.advance('DISPUTED')).rejects.toThrow('ILLEGAL_STATE: No majority');
    await judge(2, offenders);
    await alliance.advance('DISPUTED', 2);
    const epoch = await get();
    expect(epoch).toMatchObject({ state: 'ABORTED', abort: { offenders } });
    expect(Object.keys(epoch.disclosures)).toEqual(members);
    expect(epoch.judgements[members[0]!]!.hash).toBe(epoch.judgements[members[2]!]!.hash);
    // The others go on without it.
    expect(await restart({ members: [members[0]!, members[2]!] })).toMatchObject({ attempt: 2 });
  });

  it('end without a name where no majority finds the same in time', async () => {
    await dispute();
    alliance.ledger.now += STEP_MS;
    await expect(disclose(0)).rejects.toThrow('DEADLINE_PASSED');
    await judge(0, offenders);
    await expect(alliance.advance('DISPUTED')).rejects.toThrow('ILLEGAL_STATE');
    alliance.ledger.now += STEP_MS;
    await alliance.advance('DISPUTED');
    const { abort: ended } = await get();
    expect(ended?.reason).toContain('no majority');
    expect(ended).not.toHaveProperty('offenders');
  });
});

describe('retirement', () => {
  beforeEach(async () => {
    await reach('ROUND2');
    for (const round of ceremonySteps.ROUND2!.rounds) await alliance.exchange(sent(round));
    await confirmAll();
    await alliance.advance('ROUND2');
  });
  const retire = () =>
    alliance.as(alliance.member(1), KeyEpochContract.Retire, { epochId: EPOCH, reason: 'Its end.' });

  it('happens by schedule, whether or not a member stores it', async () => {
    alliance.ledger.now = Date.parse((await get()).retiresAt!);
    expect((await retire()).retirement).toMatchObject({ cause: 'SCHEDULE', by: members[1] });
    await expect(retire()).rejects.toThrow('ILLEGAL_STATE');
    await expect(restart()).rejects.toThrow('ILLEGAL_STATE');
  });

  it('happens when the flooding noise is used up', async () => {
    const { budget } = await get();
    expect(budget).toMatchObject({ reserved: 0, exhausted: false });
    const key = ['', 'epoch.budget', EPOCH, '03', ''].join('\0');
    alliance.ledger.commit({
      channel: 'consortium',
      response: undefined,
      reads: new Map(),
      writes: new Map([[key, Buffer.from(JSON.stringify({ reserved: budget.capacity / 16 - 10 }))]]),
      policies: new Map(),
      event: undefined,
    });
    expect((await get()).budget.exhausted).toBe(true);
    expect((await retire()).retirement?.cause).toBe('BUDGET');
  });

  it('is a member’s decision before that', async () => {
    expect((await retire()).retirement?.cause).toBe('DECISION');
    const list = await alliance.ask(DatasetContract.List, {});
    expect(list.items).toEqual([]);
  });
});
