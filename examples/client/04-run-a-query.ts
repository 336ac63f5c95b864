/**
 * Run a query.
 *
 * A job names an agreement and statistics. The contracts authorise it; every hospital evaluates it on its ciphertexts;
 * key holders release the sums of groups that are large enough, sealed to your key. What you get is read from two peers,
 * opened and verified here, with what it rests on: agreement, signatures, versions and roots of the data, transactions.
 *
 * Run: node examples/client/04-run-a-query.ts
 */
import assert from 'node:assert/strict';
import {
  forecast,
  openResearcher,
  openResult,
  parseJobFile,
  resultRows,
  submitJob,
  waitForJob,
} from '@strokeshare/gateway-client';
import { AGREEMENT, PURPOSE, RESEARCHER, signal } from './alliance.ts';

const job = parseJobFile(
  `
name: example
title: Patients and their age
agreement: ${AGREEMENT}
purpose: ${PURPOSE}
query:
  version: 1
  statistics:
    - { id: age, kind: mean, variable: AGE }
`,
  'the example',
);
using researcher = await openResearcher(RESEARCHER, signal);

// Before anything is sent: what it takes, and whether it is covered.
const { plan, releases, objections } = await forecast(researcher, job);
console.log(`${plan.cells.length} cells, ${releases.left} releases left`);
assert.deepEqual(objections, []);

const { jobId } = await submitJob(researcher, job);
await waitForJob(researcher, jobId, (state) => console.log(`${jobId}: ${state}`));
const result = await openResult(researcher, jobId);
for (const { quantity, measured } of resultRows(result, job.analyses))
  console.log(`${quantity}: ${measured ? measured.value : 'kept back'}`);

const { agreement, datasets, transactions, peers } = result.provenance;
console.log(`signed by ${agreement.signedBy.join(', ')}; read from ${peers} peers`);
for (const { datasetId, version, merkleRoot } of datasets)
  console.log(`${datasetId} version ${version}, root ${merkleRoot.slice(0, 16)}...`);
for (const { transaction, transactionId } of transactions)
  console.log(`${transaction} ${transactionId.slice(0, 16)}...`);
