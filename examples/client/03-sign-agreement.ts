/**
 * Sign an agreement.
 *
 * An institution proposes what is granted; every owner of the data fills its own slot with a signature over the
 * agreement's digest, by its enrolled key. Agents sign by themselves what is within their institution's policy.yaml;
 * the rest waits for a person: `strokeshare inbox`, then `approve` or `refuse`. This program does not sign for anybody:
 * it proposes, waits for the owners, and verifies their signatures for itself.
 *
 * Run: node examples/client/03-sign-agreement.ts
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { digestOf, signingKeyAt, verifyDetached } from '@strokeshare/chaincode';
import { connect, LedgerError, untilDefined } from '@strokeshare/gateway-client';
import { AGREEMENT, AGREEMENT_TEXT, agentOf, PERMISSION, signal } from './alliance.ts';

using connection = await connect(join(agentOf(1), 'agent.json'));
const { agreements, institutions } = connection.institution();
const textHash = createHash('sha256').update(AGREEMENT_TEXT).digest('hex');
try {
  await agreements.propose(
    { agreementId: AGREEMENT, permissionId: PERMISSION, textHash, terms: AGREEMENT_TEXT },
    { signal },
  );
} catch (error) {
  if (!(error instanceof LedgerError && error.contractCode === 'ALREADY_EXISTS')) throw error;
}

// Asks at once and after every event, instead of polling.
const signed = await untilDefined(connection.events(), signal, async () => {
  const view = await agreements.get({ agreementId: AGREEMENT }, { signal });
  return view.state === 'PROPOSED' ? undefined : view;
});
console.log(`${AGREEMENT} is ${signed.state}`);
assert.equal(signed.state, 'ACTIVE');

assert.equal(digestOf(signed.content), signed.digest);
assert.equal(signed.content.textHash, textHash);
for (const owner of signed.content.owners) {
  const slot = signed.signatures[owner];
  const key = slot && signingKeyAt(await institutions.get({ mspId: owner }, { signal }), slot.at);
  assert.ok(slot && key && verifyDetached(signed.content, slot.signature, key));
  console.log(`${owner} signed at ${slot.at}`);
}
