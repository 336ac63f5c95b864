import { sign } from 'node:crypto';
import { canonicalJson } from '@strokeshare/fhe';
import { consortium, signDetached } from '../src/index.js';
import { Alliance } from './support/alliance.js';
import { cohort } from './support/cohorts.js';
import { signingKeys } from './support/identities.js';
import { MvccConflict } from './support/memoryLedger.js';

const { AgreementContract, DatasetContract, PermissionContract } = consortium;

describe('permissions and agreements', () => {
  let alliance: Alliance;
  let number = 0;
  beforeAll(async () => {
    alliance = await Alliance.create([cohort(30, 1), cohort(30, 2)], 2);
    await alliance.makeKey();
    await alliance.shareRecords();
  });
  afterAll(() => alliance?.[Symbol.asyncDispose]());

  const proposed = async (): Promise<string> => {
    const name = `a${++number}`;
    await alliance.request(name);
    await alliance.propose(name);
    return name;
  };
  const agreement = (name: string) =>
    alliance.ask(AgreementContract.Get, { agreementId: `agreement-${name}` });
  const permission = (name: string) =>
    alliance.ask(PermissionContract.Get, { permissionId: `permission-${name}` });
  const signWith = (name: string, index: number, signature: string) =>
    alliance.as(alliance.member(index), AgreementContract.Sign, {
      agreementId: `agreement-${name}`,
      signature,
    });

  it('is active, and the permission granted, when every owner has signed', async () => {
    const name = await proposed();
    expect([(await agreement(name)).state, (await permission(name)).state]).toEqual([
      'PROPOSED',
      'REQUESTED',
    ]);
    await alliance.sign(name, alliance.member(0));
    expect([(await agreement(name)).state, (await permission(name)).state]).toEqual([
      'PROPOSED',
      'REQUESTED',
    ]);
    await alliance.sign(name, alliance.member(1));
    expect([(await agreement(name)).state, (await permission(name)).state]).toEqual(['ACTIVE', 'GRANTED']);
    alliance.ledger.now += 31 * 86_400_000;
    expect([(await agreement(name)).state, (await permission(name)).state]).toEqual(['EXPIRED', 'EXPIRED']);
    alliance.ledger.now -= 31 * 86_400_000;
  });

  it('takes the signatures of all owners at once: no slot is a hot key', async () => {
    const name = await proposed();
    const { content, agreementId } = await agreement(name);
    const simulations = await Promise.all(
      alliance.institutions.map((member) =>
        alliance.ledger.simulate(
          AgreementContract.Sign,
          { agreementId, signature: signDetached(content, member.signing) },
          { identity: member.agent },
        ),
      ),
    );
    for (const simulation of simulations) alliance.ledger.commit(simulation);
    expect((await agreement(name)).state).toBe('ACTIVE');
    // The in-memory ledger does notice conflicts.
    expect(() => alliance.ledger.commit(simulations[0]!)).toThrow(MvccConflict);
  });

  it('has a slot for each owner that its own peer alone endorses, and no other key is such', async () => {
    const name = await proposed();
    await alliance.request('slots');
    const proposal = await alliance.ledger.simulate(
      AgreementContract.Propose,
      {
        agreementId: 'agreement-slots',
        permissionId: 'permission-slots',
        textHash: '1'.repeat(64),
        terms: '',
      },
      { identity: alliance.member(0).agent },
    );
    const slots = [...proposal.policies].map(([key, policy]) => [
      key.split('\0').slice(1, -1).join('/'),
      alliance.institutions.filter(({ mspId }) => policy.includes(mspId)).map(({ mspId }) => mspId),
    ]);
    expect(slots).toEqual([
      ['agreement.signature/agreement-slots/0001/Hospital1MSP', ['Hospital1MSP']],
      ['agreement.signature/agreement-slots/0001/Hospital2MSP', ['Hospital2MSP']],
    ]);
    expect([...proposal.policies.keys()].every((key) => proposal.writes.has(key))).toBe(true);
    // Signing writes the own slot and nothing that would need the others' peers.
    const { content, agreementId } = await agreement(name);
    const { writes, policies } = await alliance.ledger.simulate(
      AgreementContract.Sign,
      { agreementId, signature: signDetached(content, alliance.member(1).signing) },
      { identity: alliance.member(1).agent },
    );
    expect([...writes.keys()]).toEqual([expect.stringContaining(`${agreementId}\x000001\0Hospital2MSP`)]);
    expect(policies.size).toBe(0);
  });

  it('refuses forged, foreign, replayed and malleable signatures', async () => {
    const name = await proposed();
    const { content } = await agreement(name);
    const other = await agreement(await proposed());
    const own = alliance.member(0).signing;
    const { content: changed } = { content: { ...content, terms: 'Everything.' } };
    await expect(signWith(name, 0, signDetached(content, signingKeys().privateKey))).rejects.toThrow(
      'BAD_SIGNATURE',
    );
    await expect(signWith(name, 0, signDetached(content, alliance.member(1).signing))).rejects.toThrow(
      'BAD_SIGNATURE',
    );
    await expect(signWith(name, 0, signDetached(other.content, own))).rejects.toThrow('BAD_SIGNATURE');
    await expect(signWith(name, 0, signDetached(changed, own))).rejects.toThrow('BAD_SIGNATURE');
    const low = Buffer.from(signDetached(content, own), 'base64');
    await expect(signWith(name, 0, highS(low).toString('base64'))).rejects.toThrow('BAD_SIGNATURE');
    await expect(signWith(name, 0, Buffer.concat([low, Buffer.of(0)]).toString('base64'))).rejects.toThrow(
      'BAD_SIGNATURE',
    );
    await expect(signWith(name, 0, '')).rejects.toThrow('BAD_SIGNATURE');
    await signWith(name, 0, low.toString('base64'));
    await expect(signWith(name, 0, low.toString('base64'))).rejects.toThrow('ALREADY_EXISTS');
  });

  it('accepts what any ECDSA implementation signs over the digest, with a low S', async () => {
    const name = await proposed();
    const { content } = await agreement(name);
    let der: Buffer;
    do der = sign('sha256', Buffer.from(canonicalJson(content)), alliance.member(0).signing);
    while (sOf(der) > ORDER / 2n);
    await expect(signWith(name, 0, der.toString('base64'))).resolves.toMatchObject({ signed: true });
  });

  it('ends with one refusal, after which another may be proposed', async () => {
    const name = await proposed();
    await alliance.sign(name, alliance.member(0));
    const refusal = { agreementId: `agreement-${name}`, reason: 'The period is too long.' };
    await expect(alliance.as(alliance.member(0), AgreementContract.Refuse, refusal)).rejects.toThrow(
      'ALREADY_EXISTS',
    );
    await alliance.as(alliance.member(1), AgreementContract.Refuse, refusal);
    expect([(await agreement(name)).state, (await permission(name)).state]).toEqual(['REFUSED', 'DENIED']);
    await expect(alliance.sign(name, alliance.member(1))).rejects.toThrow('ILLEGAL_STATE');
    const again = {
      agreementId: `agreement-${name}-2`,
      permissionId: `permission-${name}`,
      textHash: '2'.repeat(64),
      terms: '',
    };
    await alliance.as(alliance.member(1), AgreementContract.Propose, again);
    expect((await permission(name)).state).toBe('REQUESTED');
    await expect(
      alliance.as(alliance.member(1), AgreementContract.Propose, { ...again, agreementId: 'agreement-more' }),
    ).rejects.toThrow('ALREADY_EXISTS');
  });

  it('is asked for within what the datasets offer', async () => {
    await expect(alliance.request('x1', { variables: ['WEIGHT'] })).rejects.toThrow(
      'NOT_FOUND: The dataset ist-1 has no variable WEIGHT.',
    );
    await expect(alliance.request('x2', { minimumCohort: 4 })).rejects.toThrow('BAD_REQUEST');
    await expect(alliance.request('x3', { datasets: ['ist-9'] })).rejects.toThrow('NOT_FOUND');
    await expect(alliance.request('x4', { until: new Date(0).toISOString() })).rejects.toThrow('BAD_REQUEST');
  });

  it('lists in pages', async () => {
    const first = await alliance.ask(DatasetContract.List, { limit: 1 });
    expect(first.items.map(({ datasetId }) => datasetId)).toEqual(['ist-1']);
    const second = await alliance.ask(DatasetContract.List, { limit: 1, after: first.next! });
    expect(second).toMatchObject({ items: [{ datasetId: 'ist-2' }] });
    expect(second.next).toBeUndefined();
  });
});

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const sOf = (der: Buffer): bigint => BigInt(`0x${der.subarray(6 + der[3]!).toString('hex')}`);

/** The same signature with n - s: valid ECDSA, but not the one accepted encoding. */
function highS(der: Buffer): Buffer {
  const r = der.subarray(2, 4 + der[3]!);
  const s = Buffer.from((ORDER - sOf(der)).toString(16).padStart(64, '0'), 'hex');
  const body = Buffer.concat([r, Buffer.of(2, 33, 0), s]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}
