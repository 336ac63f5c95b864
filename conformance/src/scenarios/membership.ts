import { status } from '@grpc/grpc-js';
import { common, type peer } from '@hyperledger/fabric-protos';
import { type Bed, text } from '../harness/bed.js';
import type { Release } from '../harness/release.js';
import { failure } from '../harness/failure.js';
import { chaincodes, confined, shared } from '../harness/layout.js';
import { type Credentials, impostor } from '../harness/pki.js';
import { buildProposal, type ProposalParts, putProposal, signProposal } from '../harness/proposal.js';
import { position, seekEnvelope } from '../harness/rawGateway.js';
import { withHighS } from '../harness/signature.js';

const minute = 60 * 1000;
const day = 24 * 60 * minute;
const endorseFailed = 'failed to endorse transaction, see attached details for more info';
/** Who may do what: identities, roles, validity, signatures of proposals. */
export function membership(bed: () => Bed, { sinceFabric3 }: Release): void {
  const put = putProposal(bed);

  /** For an identity that no organisation of the channel vouches for; logs have the reason. */
  const malformed = (channel: string = shared): string =>
    `error validating proposal: access denied: channel [${channel}] creator org unknown, creator is malformed`;

  /** For a known identity. */
  const accessDenied = (mspId: string, channel: string = shared): string =>
    `error validating proposal: access denied: channel [${channel}] creator org [${mspId}]`;

  /** What the gateway tells of a proposal that its own peer refuses. */
  async function refusalOf(
    parts: ProposalParts,
    alter?: (signature: Uint8Array) => Uint8Array,
    signer: Credentials = parts.creator,
  ): Promise<string> {
    const proposal = buildProposal(parts);
    const signed = await signProposal(proposal, signer, alter);
    const refused = await failure(bed().raw().endorse(proposal, signed, parts.channel));
    expect(refused).toMatchObject({ code: status.ABORTED, text: endorseFailed });
    expect(refused.details).toHaveLength(1);
    return refused.details[0]?.message ?? '';
  }

  it('knows the caller', async () => {
    const seen = await bed().query('Identity:who');
    expect(seen).toMatchObject({
      mspId: 'Org1MSP',
      creator: 'Org1MSP',
      role: 'researcher',
      peer: 'Org1MSP',
      channel: shared,
      binding: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  it('lets an organisation without a peer evaluate and submit', async () => {
    const key = bed().unique('research');
    const theirs = bed().contract(chaincodes.everything, { as: 'Research1MSP', via: 'Org2MSP' });
    await theirs.submitTransaction('put', key, 'question');
    expect(text(await theirs.evaluateTransaction('get', key))).toBe('question');
    const seen = JSON.parse(text(await theirs.evaluateTransaction('Identity:who'))) as unknown;
    expect(seen).toMatchObject({ mspId: 'Research1MSP', peer: 'Org2MSP' });
  });

  it('lets an administrator write', async () => {
    const admin = bed().pki.user('Org1MSP', 'Admin');
    const prepared = await bed().raw().prepare(put(admin));
    await expect(bed().raw().commit(prepared, shared, admin)).resolves.toBe(0);
  });

  it('takes an identity that the authority issued later', async () => {
    const late = await bed().pki.issue('Org1MSP', 'late', 'client');
    const prepared = await bed().raw().prepare(put(late));
    await expect(bed().raw().commit(prepared, shared, late)).resolves.toBe(0);
  });

  it('does not let a peer write', async () => {
    const problem = await refusalOf(put(bed().pki.peer('Org1MSP')));
    expect(problem).toContain(
      "implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy requires 1 of the 'Writers' sub-policies to be satisfied",
    );
  });

  it('refuses an identity of an authority of its own', async () => {
    await expect(refusalOf(put(await impostor('Org1MSP', 'client')))).resolves.toBe(malformed());
  });

  it('refuses an identity of another organisation under a wrong name', async () => {
    const { certificate, key } = bed().pki.user('Org2MSP');
    await expect(refusalOf(put({ mspId: 'Org1MSP', certificate, key }))).resolves.toBe(malformed());
  });

  it('refuses an organisation that the channel does not know', async () => {
    const stranger = { ...bed().pki.user('Org2MSP'), mspId: 'StrangerMSP' };
    await expect(refusalOf(put(stranger))).resolves.toBe(malformed());
  });

  it('refuses a member of another channel', async () => {
    const parts = put(bed().pki.user('Org2MSP'), { channel: confined, chaincode: 'confined' });
    await expect(refusalOf(parts)).resolves.toBe(malformed(confined));
  });

  it('refuses an evaluation by an organisation that is not a member', async () => {
    const theirs = bed().contract(chaincodes.confined, { as: 'Org2MSP', via: 'Org1MSP' });
    const problem = malformed(confined);
    await expect(failure(theirs.evaluateTransaction('get', 'a'))).resolves.toMatchObject({
      code: status.FAILED_PRECONDITION,
      text: `evaluate call to endorser returned error: ${problem}`,
      details: [{ mspId: 'Org1MSP', message: problem }],
    });
  });

  it('refuses an expired certificate', async () => {
    const expired = await bed().pki.issue('Org1MSP', 'expired', 'client', {
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
    });
    // Fabric 2.5 does not say why.
    await expect(refusalOf(put(expired))).resolves.toMatch(/expired|creator is malformed/);
  });

  it('delivers nothing to an expired certificate', async () => {
    const expired = await bed().pki.issue('Org1MSP', 'expired reader', 'client', {
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
    });
    const seek = { start: position.at(0), stop: position.at(0) };
    const answers = await bed()
      .raw()
      .deliver(await seekEnvelope(shared, expired, seek));
    expect(answers.map((answer) => answer.getStatus())).toEqual([common.Status.FORBIDDEN]);
  });

  it('takes a certificate that is not valid yet: only its end counts', async () => {
    const early = await bed().pki.issue('Org1MSP', 'early', 'client', {
      notBefore: new Date(Date.now() + day),
      notAfter: new Date(Date.now() + 2 * day),
    });
    const prepared = await bed().raw().prepare(put(early));
    await expect(bed().raw().commit(prepared, shared, early)).resolves.toBe(0);
  });

  it('refuses a revoked certificate', async () => {
    const revoked = await bed().pki.issue('Org2MSP', 'revoked', 'client');
    await bed().pki.revoke('Org2MSP', revoked);
    const channel = 'with-revocations';
    await bed().running.createChannel({
      name: channel,
      members: ['Org1MSP', 'Org2MSP'],
      endorsement: "OR('Org1MSP.peer')",
      batchTimeoutMs: 50,
    });
    const definition = { channel, name: 'revocable', organizations: ['Org1MSP'] as const };
    await bed().running.deploy(definition);
    const others = bed().contract(definition, { as: 'Org2MSP', via: 'Org1MSP' });
    expect(text(await others.evaluateTransaction('Identity:echo', 'welcome'))).toBe('welcome');
    const parts = put(revoked, { channel, chaincode: 'revocable' });
    await expect(refusalOf(parts)).resolves.toBe(accessDenied('Org2MSP', channel));
  });

  it('refuses the signature of another key', async () => {
    const parts = put(bed().pki.user('Org1MSP'));
    await expect(refusalOf(parts, undefined, bed().pki.user('Org1MSP', 'Admin'))).resolves.toBe(
      accessDenied('Org1MSP'),
    );
  });

  it('refuses a signature with a high S', async () => {
    await expect(refusalOf(put(bed().pki.user('Org1MSP')), withHighS)).resolves.toBe(accessDenied('Org1MSP'));
  });

  it('refuses a signature that is none', async () => {
    const nonsense = (): Uint8Array => Buffer.from('nonsense');
    await expect(refusalOf(put(bed().pki.user('Org1MSP')), nonsense)).resolves.toBe(accessDenied('Org1MSP'));
  });

  it('refuses a proposal without a signature', async () => {
    const nothing = (): Uint8Array => new Uint8Array();
    const problem = await refusalOf(put(bed().pki.user('Org1MSP')), nothing);
    expect(problem).toBe('error validating proposal: empty signature bytes');
  });

  it('refuses a creator that is no identity', async () => {
    const parts = put(bed().pki.user('Org1MSP'), { creatorBytes: Buffer.from('nobody') });
    await expect(refusalOf(parts)).resolves.toContain('error validating proposal: ');
  });

  it('refuses a proposal without a nonce', async () => {
    const parts = put(bed().pki.user('Org1MSP'), { nonce: new Uint8Array() });
    await expect(refusalOf(parts)).resolves.toBe('error validating proposal: nonce is empty');
  });

  it('refuses a transaction id that nonce and creator do not give', async () => {
    const parts = put(bed().pki.user('Org1MSP'), { txId: 'ab'.repeat(32) });
    await expect(refusalOf(parts)).resolves.toMatch(
      /^error validating proposal: incorrectly computed txid '(ab){32}' -- expected '[0-9a-f]{64}'$/,
    );
  });

  it('refuses a header of another type', async () => {
    const parts = put(bed().pki.user('Org1MSP'), { type: common.HeaderType.MESSAGE });
    await expect(refusalOf(parts)).resolves.toBe('error validating proposal: invalid header type MESSAGE');
  });

  it('refuses an epoch', async () => {
    const parts = put(bed().pki.user('Org1MSP'), { epoch: 7 });
    await expect(refusalOf(parts)).resolves.toBe('error validating proposal: epoch is non-zero');
  });

  for (const [where, minutes] of [
    ['behind', -20],
    ['before', 20],
  ] as const)
    sinceFabric3('timeWindow')(`refuses a moment 20 minutes ${where} the clock`, async () => {
      const parts = put(bed().pki.user('Org1MSP'), { timestamp: new Date(Date.now() + minutes * minute) });
      await expect(refusalOf(parts)).resolves.toMatch(/^request unauthorized due to incorrect timestamp /);
    });

  it('takes a moment 10 minutes behind the clock, which the contract sees', async () => {
    const timestamp = new Date(Date.now() - 10 * minute);
    const user = bed().pki.user('Org1MSP');
    const parts = put(user, { timestamp, args: ['Identity:who'] });
    const proposal = buildProposal(parts);
    const answer = await bed()
      .raw()
      .evaluate(proposal, await signProposal(proposal, user), shared);
    expect(JSON.parse(text(answer.getPayload_asU8()))).toMatchObject({
      seconds: Math.floor(timestamp.getTime() / 1000),
    });
  });

  it('refuses a proposal that was committed before', async () => {
    const user = bed().pki.user('Org1MSP');
    const proposal = buildProposal(put(user));
    const signed = await signProposal(proposal, user);
    const envelope = await bed().raw().endorse(proposal, signed, shared);
    await expect(bed().raw().commit({ txId: proposal.txId, envelope }, shared, user)).resolves.toBe(0);
    const refused = await failure(bed().raw().endorse(proposal, signed, shared));
    expect(refused.code).toBe(status.ABORTED);
    expect(refused.details[0]?.message).toMatch(
      new RegExp(`^duplicate transaction found \\[${proposal.txId}\\]\\. Creator \\[[0-9a-f]+\\]$`),
    );
  });

  it('endorses a proposal twice while it is not committed', async () => {
    const user = bed().pki.user('Org1MSP');
    const proposal = buildProposal(put(user));
    const signed = await signProposal(proposal, user);
    const once = await bed().raw().endorse(proposal, signed, shared);
    const twice = await bed().raw().endorse(proposal, signed, shared);
    expect(twice.getPayload_asU8().length).toBeGreaterThan(0);
    await expect(bed().raw().commit({ txId: proposal.txId, envelope: once }, shared, user)).resolves.toBe(0);
  });

  it('is asked for a proposal', async () => {
    const refused = await failure(bed().raw().endorse({ txId: 'x' }, undefined, shared));
    expect(refused).toEqual({
      code: status.INVALID_ARGUMENT,
      text: 'the proposed transaction must contain a signed proposal',
      details: [],
    });
  });

  it('cannot read a proposal of nonsense', async () => {
    const signed = (await signProposal(
      { txId: 'x', bytes: Buffer.from('nonsense') },
      bed().pki.user('Org1MSP'),
    )) satisfies peer.SignedProposal;
    const refused = await failure(bed().raw().endorse({ txId: 'x' }, signed, shared));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
  });

  it('answers endorsers, too, only what the identity may see', async () => {
    const stranger = await impostor('Org1MSP', 'client');
    const proposal = buildProposal(put(stranger));
    const refused = await failure(
      bed()
        .raw()
        .processProposal(await signProposal(proposal, stranger)),
    );
    expect(refused.text).toBe(malformed());
  });
}
