import { status } from '@grpc/grpc-js';
import { connect, hash, type Gateway } from '@hyperledger/fabric-gateway';
import type { Bed } from '../harness/bed.js';
import { text } from '../harness/bed.js';
import { failure } from '../harness/failure.js';
import { shared } from '../harness/layout.js';
import type { Credentials } from '../harness/pki.js';
import { withHighS } from '../harness/signature.js';
import { signers } from '@hyperledger/fabric-gateway';

/** A client that has no key: someone else signs the digests. */
export function offline(bed: () => Bed): void {
  let user: Credentials;
  let keyless: Gateway;
  let signDigest: (digest: Uint8Array) => Promise<Uint8Array>;

  beforeAll(() => {
    user = bed().pki.user('Org1MSP');
    signDigest = signers.newPrivateKeySigner(user.key);
    keyless = connect({
      client: bed().client('Org1MSP'),
      identity: { mspId: user.mspId, credentials: Buffer.from(user.certificate) },
      hash: hash.sha256,
    });
  });
  afterAll(() => keyless.close());

  const contract = () => keyless.getNetwork(shared).getContract('everything');

  it('cannot evaluate without a signature', async () => {
    await expect(contract().evaluateTransaction('Identity:echo', 'x')).rejects.toThrow(
      'No signing implementation',
    );
  });

  it('evaluates what was signed elsewhere', async () => {
    const unsigned = contract().newProposal('Identity:echo', { arguments: ['signed'] });
    const signed = keyless.newSignedProposal(unsigned.getBytes(), await signDigest(unsigned.getDigest()));
    expect(text(await signed.evaluate())).toBe('signed');
  });

  it('signs proposal, transaction and request for the status one after the other', async () => {
    const key = bed().unique('offline');
    const unsigned = contract().newProposal('put', { arguments: [key, 'signed'] });
    const proposal = keyless.newSignedProposal(unsigned.getBytes(), await signDigest(unsigned.getDigest()));
    const prepared = await proposal.endorse();
    const transaction = keyless.newSignedTransaction(
      prepared.getBytes(),
      await signDigest(prepared.getDigest()),
    );
    const submitted = await transaction.submit();
    const commit = keyless.newSignedCommit(submitted.getBytes(), await signDigest(submitted.getDigest()));
    await expect(commit.getStatus()).resolves.toMatchObject({ successful: true, code: 0 });
    expect(text(submitted.getResult())).toBe('signed');
    await expect(bed().evaluate('get', key)).resolves.toBe('signed');
  });

  it('keeps transaction ids through serialization', async () => {
    const unsigned = contract().newProposal('put', { arguments: [bed().unique('id'), 'x'] });
    const proposal = keyless.newSignedProposal(unsigned.getBytes(), await signDigest(unsigned.getDigest()));
    const prepared = await proposal.endorse();
    expect(proposal.getTransactionId()).toBe(unsigned.getTransactionId());
    expect(prepared.getTransactionId()).toBe(unsigned.getTransactionId());
  });

  it('refuses the signature of another message', async () => {
    const [one, other] = [
      contract().newProposal('Identity:nothing'),
      contract().newProposal('Identity:nothing'),
    ];
    const signed = keyless.newSignedProposal(one.getBytes(), await signDigest(other.getDigest()));
    const refused = await failure(signed.evaluate());
    expect(refused).toMatchObject({
      code: status.FAILED_PRECONDITION,
      text: 'evaluate call to endorser returned error: error validating proposal: access denied: channel [shared] creator org [Org1MSP]',
    });
  });

  it('refuses a status request that another key signed', async () => {
    const unsigned = contract().newProposal('put', { arguments: [bed().unique('k'), 'x'] });
    const proposal = keyless.newSignedProposal(unsigned.getBytes(), await signDigest(unsigned.getDigest()));
    const prepared = await proposal.endorse();
    const transaction = keyless.newSignedTransaction(
      prepared.getBytes(),
      await signDigest(prepared.getDigest()),
    );
    const submitted = await transaction.submit();
    const foreign = signers.newPrivateKeySigner(bed().pki.user('Org2MSP').key);
    const commit = keyless.newSignedCommit(submitted.getBytes(), await foreign(submitted.getDigest()));
    await expect(failure(commit.getStatus())).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('listens for events with a request that was signed elsewhere', async () => {
    const sent = await bed()
      .contract()
      .submitAsync('Calls:emit', { arguments: ['offline', 'x'] });
    const { blockNumber } = await sent.getStatus();
    const unsigned = keyless
      .getNetwork(shared)
      .newChaincodeEventsRequest('everything', { startBlock: blockNumber });
    const signed = keyless.newSignedChaincodeEventsRequest(
      unsigned.getBytes(),
      await signDigest(unsigned.getDigest()),
    );
    const session = await signed.getEvents();
    for await (const event of session) {
      expect(event.eventName).toBe('offline');
      break;
    }
    session.close();
  });

  it('refuses a request for events with a high S', async () => {
    const unsigned = keyless.getNetwork(shared).newChaincodeEventsRequest('everything', { startBlock: 0n });
    const signature = withHighS(await signDigest(unsigned.getDigest()));
    const session = await keyless.newSignedChaincodeEventsRequest(unsigned.getBytes(), signature).getEvents();
    const refused = await failure(session[Symbol.asyncIterator]().next());
    session.close();
    expect(refused.code).toBe(status.PERMISSION_DENIED);
  });

  it('reads blocks with a request that was signed elsewhere', async () => {
    const unsigned = keyless.getNetwork(shared).newBlockEventsRequest({ startBlock: 0n });
    const signed = keyless.newSignedBlockEventsRequest(
      unsigned.getBytes(),
      await signDigest(unsigned.getDigest()),
    );
    const session = await signed.getEvents();
    for await (const block of session) {
      expect(block.getHeader()?.getNumber()).toBe(0);
      break;
    }
    session.close();
  });
}
