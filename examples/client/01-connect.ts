/**
 * Connect.
 *
 * A profile says who you are (a certificate and its key) and which peer serves you. The certificate has a role:
 * operator, institution, researcher or auditor. Each role has a client of its own, with the transactions that the
 * contracts let it call, and no others: requests are checked before they are sent, answers before you see them.
 *
 * Run: ./test-network.sh demo --keep; node examples/client/01-connect.ts
 */
import assert from 'node:assert/strict';
import { ClientError, compareMetadata, connect, LedgerError } from '@strokeshare/gateway-client';
import { RESEARCHER, signal } from './alliance.ts';

using connection = await connect(RESEARCHER);
console.log(`${connection.mspId}, role ${connection.role}`);

const { datasets, jobs } = connection.researcher();
for (const { datasetId, title, owner, status } of (await datasets.list({}, { signal })).items)
  console.log(`${datasetId}: ${title} (${owner}, ${status})`);

// A client of another role is refused here, before anything is sent.
assert.throws(() => connection.operator(), { code: 'ROLE_DIFFERS' });

// What goes wrong is one sentence, with a code that programs may rely on, and the contract's own code behind it.
const error = await jobs.get({ jobId: 'nothing' }, { signal }).catch((thrown: unknown) => thrown);
assert.ok(error instanceof ClientError && error instanceof LedgerError);
console.log(`${error.code} (${error.contractCode}): ${error.message}`);
assert.equal(error.contractCode, 'NOT_FOUND');

// The contracts describe themselves. A client of another version than theirs shows here.
assert.deepEqual(await compareMetadata(connection.ledger, 'consortium', 'consortium', { signal }), []);
