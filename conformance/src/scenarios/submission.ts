import { status } from '@grpc/grpc-js';
import { type Bed } from '../harness/bed.js';
import type { Release } from '../harness/release.js';
import { failure } from '../harness/failure.js';
import { confined, majorityOfPeers, shared } from '../harness/layout.js';
import { type Credentials } from '../harness/pki.js';
import { putProposal } from '../harness/proposal.js';
import { withHighS } from '../harness/signature.js';
import { signEnvelope } from '../harness/transaction.js';

const forbidden =
  'received unsuccessful response from orderer: status=FORBIDDEN, info=implicit policy evaluation failed - 0 sub-policies were satisfied, ' +
  "but this policy requires 1 of the 'Writers' sub-policies to be satisfied: permission denied";

/** Whose signature it takes to hand a transaction in, and to ask what became of it. */
export function submission(bed: () => Bed, { sinceFabric3 }: Release): void {
  const put = putProposal(bed);

  describe('at the orderer', () => {
    /** What is said to a transaction that somebody else signs. */
    async function submitAs(
      signer: Credentials,
      alter?: (signature: Uint8Array) => Uint8Array,
    ): Promise<{ code: number; text: string }> {
      const user = bed().pki.user('Org1MSP');
      const { txId, envelope } = await bed().raw().prepare(put(user));
      await signEnvelope(envelope, signer, alter);
      const refused = await failure(bed().raw().submit(txId, shared, envelope));
      return { code: refused.code, text: refused.text };
    }

    it('refuses a transaction that another key signed', async () => {
      await expect(submitAs(bed().pki.user('Org1MSP', 'Admin'))).resolves.toEqual({
        code: status.ABORTED,
        text: forbidden,
      });
    });

    it('refuses a signature with a high S', async () => {
      await expect(submitAs(bed().pki.user('Org1MSP'), withHighS)).resolves.toEqual({
        code: status.ABORTED,
        text: forbidden,
      });
    });

    it('wants a signature', async () => {
      const { txId, envelope } = await bed()
        .raw()
        .prepare(put(bed().pki.user('Org1MSP')));
      await expect(failure(bed().raw().submit(txId, shared, envelope))).resolves.toEqual({
        code: status.INVALID_ARGUMENT,
        text: 'prepared transaction must be signed',
        details: [],
      });
    });

    it('wants a transaction', async () => {
      await expect(failure(bed().raw().submit('x', shared, undefined))).resolves.toEqual({
        code: status.INVALID_ARGUMENT,
        text: 'a prepared transaction is required',
        details: [],
      });
    });

    it('goes by the channel in the transaction, not by the one in the request', async () => {
      const user = bed().pki.user('Org1MSP');
      const { txId, envelope } = await bed().raw().prepare(put(user));
      await signEnvelope(envelope, user);
      await bed().raw().submit(txId, majorityOfPeers, envelope);
      await expect(bed().raw().commitStatus(txId, shared, user)).resolves.toMatchObject({ code: 0 });
    });

    it('knows no channel that is not there', async () => {
      const user = bed().pki.user('Org1MSP');
      const { txId, envelope } = await bed().raw().prepare(put(user));
      await signEnvelope(envelope, user);
      const refused = await failure(bed().raw().submit(txId, 'absent', envelope));
      expect(refused).toEqual({
        code: status.FAILED_PRECONDITION,
        text: 'failed to get config for channel [absent]: could not get last config for channel absent',
        details: [],
      });
    });
  });

  describe('asking for a commit status', () => {
    it('needs a signature of the asker', async () => {
      const user = bed().pki.user('Org1MSP');
      const commit = await bed()
        .contract()
        .submitAsync('put', { arguments: [bed().unique('k'), 'x'] });
      await commit.getStatus();
      const asked = bed().raw().commitStatus(commit.getTransactionId(), shared, user, withHighS);
      await expect(failure(asked)).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    });

    it('needs a reader of the channel', async () => {
      const asked = bed().raw().commitStatus('ab', confined, bed().pki.user('Org2MSP'));
      await expect(failure(asked)).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    });

    sinceFabric3('emptyTransactionId')('needs a transaction id', async () => {
      const asked = bed().raw().commitStatus('', shared, bed().pki.user('Org1MSP'));
      await expect(failure(asked)).resolves.toEqual({
        code: status.INVALID_ARGUMENT,
        text: 'transaction ID should not be empty',
        details: [],
      });
    });

    it('needs a channel that is there', async () => {
      const asked = bed().raw().commitStatus('ab', 'absent', bed().pki.user('Org1MSP'));
      await expect(failure(asked)).resolves.toMatchObject({
        code: status.PERMISSION_DENIED,
        text: 'Failed to get policy manager for channel [absent]',
      });
    });
  });
}
