/**
 * Audit.
 *
 * Who asked what, what was decided, refused and released is on the ledger, and everybody in the consortium may read it:
 * about a job, an agreement, a dataset, a researcher or an institution. A job's lineage is a W3C PROV document.
 *
 * Run: node examples/client/07-audit.ts
 */
import assert from 'node:assert/strict';
import { connect } from '@strokeshare/gateway-client';
import { AGREEMENT, RESEARCHER, signal } from './alliance.ts';

using connection = await connect(RESEARCHER);
const { audit } = connection.auditor();
const { items } = await audit.list({ about: { subject: 'agreement', id: AGREEMENT } }, { signal });
for (const { at, kind, transaction, by, jobId, state } of items)
  console.log([at, kind, transaction, by.mspId, jobId, state].filter(Boolean).join('  '));

const jobId = items.find(({ kind }) => kind === 'RELEASE')?.jobId;
assert.ok(jobId, 'run 04-run-a-query.ts first');
const { entity, activity, agent } = await audit.lineage({ jobId }, { signal });
console.log(`${jobId}: ${Object.keys(entity).length} entities, ${Object.keys(activity).length} activities`);
console.log(`in which took part: ${Object.keys(agent).join(', ')}`);
