import { randomBytes } from 'node:crypto';
import { commitment as commitmentOf, epochSeed, sha256Hex } from '@strokeshare/fhe';
import {
  type CeremonyLabel,
  ceremonyStates,
  ceremonySteps,
  consortium,
  type TransactionDefinition,
} from '../src/index.js';
import { Alliance, EPOCH } from './support/alliance.js';
import { MvccConflict } from './support/memoryLedger.js';

const { KeyEpochContract } = consortium;
const hash = (letter: string): string => letter.repeat(64);

describe('the key ceremony on the ledger', () => {
  let alliance: Alliance;
  let members: string[];
  beforeEach(async () => {
    alliance = await Alliance.create([[], [], []], 2);
    members = alliance.institutions.map(({ mspId }) => mspId);
  });
  afterEach(() => alliance?.[Symbol.asyncDispose]());

  const open = (threshold = 2, parameterSet: 'toy' | 'standard' = 'toy') =>
    alliance.as(alliance.member(0), KeyEpochContract.Open, {
      epochId: EPOCH,
      parameterSet,
      threshold,
      members,
    });
  const get = () => alliance.ask(KeyEpochContract.Get, { epochId: EPOCH });
  const commitTo = (index: number, label: 'seed' | 'publicKey', commitment: string) =>
    alliance.as(alliance.member(index), KeyEpochContract.Commit, { epochId: EPOCH, label, commitment });
  const message = () => randomBytes(32 + 1216);
  const messages = () => new Map(members.map((member) => [member, message()]));
  const sent = (round: readonly CeremonyLabel[]) =>
    Object.fromEntries(round.map((label) => [label, messages()]));
  const rehearsal = ceremonyStates
    .filter((state) => ceremonySteps[state])
    .map((state) => [state, ceremonySteps[state]!.rounds] as const);

  it('combines the seed from all contributions', async () => {
    await open();
    const sent = messages();
    await alliance.exchange({ seed: sent });
    await expect(alliance.advance('COMMITTED', 1)).resolves.toMatchObject({ state: 'OPEN' });
    await alliance.advance('OPEN', 2);
    const epoch = await get();
    expect(epoch.state).toBe('COMMITTED');
    const expected = epochSeed(
      [...sent].map(([sender, bytes]) => ({ sender, contribution: bytes.subarray(0, 32) })),
    );
    expect(epoch.seed).toBe(Buffer.from(expected).toString('base64'));
    expect(Object.keys(epoch.messages.seed!)).toEqual(members);
  });

  it('goes through all states, and is active when all confirm the same keys', async () => {
    await open();
    const states: string[] = [];
    for (const [from, rounds] of rehearsal) {
      await expect(alliance.advance(from)).rejects.toThrow('ILLEGAL_STATE');
      for (const round of rounds) await alliance.exchange(sent(round));
      if (from === 'ROUND2') continue;
      // Who comes second finds it done.
      for (const index of [0, 1]) states.push((await alliance.advance(from, index)).state);
    }
    expect(states).toEqual(['COMMITTED', 'COMMITTED', 'ROUND1', 'ROUND1', 'ROUND2', 'ROUND2']);
    const hashes = { epochId: EPOCH, publicKeyHash: hash('a'), relinKeysHash: hash('b') };
    for (const member of alliance.institutions) {
      expect((await get()).state).toBe('ROUND2');
      await expect(alliance.advance('ROUND2')).rejects.toThrow('ILLEGAL_STATE');
      await alliance.as(member, KeyEpochContract.Confirm, hashes);
    }
    await alliance.advance('ROUND2');
    expect(await get()).toMatchObject({
      state: 'ACTIVE',
      publicKeyHash: hash('a'),
      relinKeysHash: hash('b'),
    });
    await expect(
      alliance.as(alliance.member(0), KeyEpochContract.Abort, { epochId: EPOCH, reason: 'late' }),
    ).rejects.toThrow('ILLEGAL_STATE');
  });

  it('aborts when two members confirm different keys', async () => {
    await open();
    for (const [from, rounds] of rehearsal) {
      for (const round of rounds) await alliance.exchange(sent(round));
      if (from !== 'ROUND2') await alliance.advance(from);
    }
    await alliance.as(alliance.member(0), KeyEpochContract.Confirm, {
      epochId: EPOCH,
      publicKeyHash: hash('a'),
      relinKeysHash: hash('b'),
    });
    await alliance.as(alliance.member(1), KeyEpochContract.Confirm, {
      epochId: EPOCH,
      publicKeyHash: hash('a'),
      relinKeysHash: hash('c'),
    });
    await alliance.advance('ROUND2', 2);
    expect(await get()).toMatchObject({
      state: 'ABORTED',
      abort: { reason: 'The members confirmed different keys.' },
    });
    await expect(commitTo(0, 'seed', hash('a'))).rejects.toThrow('ILLEGAL_STATE');
  });

  it('shows nothing before all have committed', async () => {
    await open();
    const nonce = hash('1');
    const content = {
      epochId: EPOCH,
      attempt: 1,
      sender: members[0]!,
      label: 'seed' as const,
      nonce,
      bytesHash: hash('2'),
    };
    await commitTo(0, 'seed', commitmentOf(content));
    await commitTo(1, 'seed', hash('3'));
    const reveal = { epochId: EPOCH, label: 'seed' as const, nonce, bytesHash: hash('2') };
    await expect(alliance.as(alliance.member(0), KeyEpochContract.Reveal, reveal)).rejects.toThrow(
      'ILLEGAL_STATE: Nothing is revealed before Hospital3MSP committed to seed.',
    );
  });

  it('refuses a reveal that does not open its commitment, in any part', async () => {
    await open();
    const nonce = hash('1');
    const bytesHash = hash('2');
    const right = {
      epochId: EPOCH,
      attempt: 1,
      sender: members[0]!,
      label: 'seed' as const,
      nonce,
      bytesHash,
    };
    const wrong = [
      { ...right, nonce: hash('9') },
      { ...right, bytesHash: hash('9') },
      { ...right, sender: members[1]! },
      { ...right, attempt: 2 },
    ];
    await commitTo(0, 'seed', commitmentOf(right));
    await commitTo(1, 'seed', commitmentOf(wrong[2]!));
    await commitTo(2, 'seed', commitmentOf({ ...wrong[3]!, sender: members[2]! }));
    const reveal = (index: number, opening: { nonce: string; bytesHash: string }) =>
      alliance.as(alliance.member(index), KeyEpochContract.Reveal, {
        epochId: EPOCH,
        label: 'seed',
        nonce: opening.nonce,
        bytesHash: opening.bytesHash,
      });
    await expect(reveal(0, wrong[0]!)).rejects.toThrow('BAD_COMMITMENT');
    await expect(reveal(0, wrong[1]!)).rejects.toThrow('BAD_COMMITMENT');
    // The right opening, but of another member's and of another attempt's commitment.
    await expect(reveal(2, right)).rejects.toThrow('BAD_COMMITMENT');
    // The right opening without the seed's value, and with another value.
    await expect(reveal(0, right)).rejects.toThrow('BAD_REQUEST');
    const value = {
      contribution: Buffer.alloc(32).toString('base64'),
      sealingKey: Buffer.alloc(1216).toString('base64'),
    };
    const other = { epochId: EPOCH, label: 'seed' as const, nonce, bytesHash, value };
    await expect(alliance.as(alliance.member(0), KeyEpochContract.Reveal, other)).rejects.toThrow(
      'HASH_MISMATCH',
    );
  });

  it('reveals nothing of a round before all have committed to all of it', async () => {
    await open();
    await alliance.exchange(sent(['seed']));
    await alliance.advance('OPEN');
    const [first] = await alliance.commitAll('publicKey', messages());
    await expect(first!()).rejects.toThrow('committed to relin1');
    await alliance.commitAll('relin1', messages());
    await expect(first!()).resolves.toMatchObject({ state: 'COMMITTED' });
  });

  it('takes the check of the dealings after all dealings, and no confirmation before it', async () => {
    await open();
    for (const [from, rounds] of rehearsal.slice(0, 3)) {
      for (const round of rounds) await alliance.exchange(sent(round));
      await alliance.advance(from);
    }
    const dealings = await alliance.commitAll('dealing', messages());
    await expect(alliance.commitAll('dealingCheck', messages())).rejects.toThrow(
      'ILLEGAL_STATE: Nothing is committed to dealingCheck before',
    );
    for (const reveal of dealings) await reveal();
    const confirmation = { epochId: EPOCH, publicKeyHash: hash('a'), relinKeysHash: hash('b') };
    await expect(alliance.as(alliance.member(0), KeyEpochContract.Confirm, confirmation)).rejects.toThrow(
      'revealed dealingCheck',
    );
    await alliance.exchange(sent(['dealingCheck']));
    await expect(
      alliance.as(alliance.member(0), KeyEpochContract.Confirm, confirmation),
    ).resolves.toMatchObject({ state: 'ROUND2' });
  });

  it('lets all members commit, reveal and confirm at once: none reads what another writes', async () => {
    await open();
    const nonce = hash('1');
    const parts = (sender: string) =>
      [32, 1216].map((length) => Buffer.alloc(length, members.indexOf(sender) + 1));
    const valueOf = (sender: string) => {
      const [contribution, sealingKey] = parts(sender).map((part) => part.toString('base64'));
      return { contribution, sealingKey };
    };
    const hashOf = (sender: string) => sha256Hex(...parts(sender));
    const simulate = (index: number, definition: TransactionDefinition, request: object) =>
      alliance.ledger.simulate(
        definition,
        { epochId: EPOCH, ...request },
        { identity: alliance.member(index).agent },
      );
    const everyone = async (definition: TransactionDefinition, request: (sender: string) => object) => {
      const simulations = [];
      for (const [index, sender] of members.entries())
        simulations.push(await simulate(index, definition, request(sender)));
      for (const simulation of simulations) alliance.ledger.commit(simulation);
    };
    await everyone(KeyEpochContract.Commit, (sender) => ({
      label: 'seed',
      commitment: commitmentOf({
        epochId: EPOCH,
        attempt: 1,
        sender,
        label: 'seed',
        nonce,
        bytesHash: hashOf(sender),
      }),
    }));
    await everyone(KeyEpochContract.Reveal, (sender) => ({
      label: 'seed',
      nonce,
      bytesHash: hashOf(sender),
      value: valueOf(sender),
    }));
    // Only the move is one member's: a second at the same time conflicts, and finds it done when repeated.
    const moves = [
      await simulate(0, KeyEpochContract.Advance, { from: 'OPEN' }),
      await simulate(1, KeyEpochContract.Advance, { from: 'OPEN' }),
    ];
    alliance.ledger.commit(moves[0]!);
    expect(() => alliance.ledger.commit(moves[1]!)).toThrow(MvccConflict);
    expect((await simulate(1, KeyEpochContract.Advance, { from: 'OPEN' })).writes.size).toBe(0);
    for (const [from, rounds] of rehearsal.slice(1)) {
      for (const round of rounds) await alliance.exchange(sent(round));
      if (from !== 'ROUND2') await alliance.advance(from);
    }
    await everyone(KeyEpochContract.Confirm, () => ({
      publicKeyHash: hash('a'),
      relinKeysHash: hash('b'),
    }));
    await expect(alliance.advance('ROUND2')).resolves.toMatchObject({ state: 'ACTIVE' });
  });

  it('takes every commitment and every reveal once', async () => {
    await open();
    await commitTo(0, 'seed', hash('a'));
    await expect(commitTo(0, 'seed', hash('b'))).rejects.toThrow('ALREADY_EXISTS');
    await expect(commitTo(0, 'publicKey', hash('a'))).rejects.toThrow('ILLEGAL_STATE');
  });

  it('refuses impossible epochs, and strangers', async () => {
    await expect(open(4)).rejects.toThrow('BAD_REQUEST');
    members.push('Hospital9MSP');
    await expect(open()).rejects.toThrow('NOT_FOUND');
    members = ['Hospital2MSP', 'Hospital3MSP'];
    await expect(open()).rejects.toThrow('NOT_A_PARTY');
  });

  it('refuses the set without security outside tests', async () => {
    const environment = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      await expect(open()).rejects.toThrow('PARAMETERS_REFUSED');
      await expect(open(2, 'standard')).resolves.toMatchObject({ state: 'OPEN' });
    } finally {
      process.env['NODE_ENV'] = environment;
    }
  });

  it('can be aborted by a member, with a reason, and not confirmed before all dealings', async () => {
    await open();
    const confirmation = { epochId: EPOCH, publicKeyHash: hash('a'), relinKeysHash: hash('b') };
    await expect(alliance.as(alliance.member(0), KeyEpochContract.Confirm, confirmation)).rejects.toThrow(
      'ILLEGAL_STATE',
    );
    await alliance.as(alliance.member(1), KeyEpochContract.Abort, {
      epochId: EPOCH,
      reason: 'A holder is away.',
    });
    expect(await get()).toMatchObject({
      state: 'ABORTED',
      abort: { by: 'Hospital2MSP', reason: 'A holder is away.' },
    });
  });
});
