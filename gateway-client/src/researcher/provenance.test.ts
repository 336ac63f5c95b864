import { generateKeyPairSync } from 'node:crypto';
import {
  datasetMerkleRoot,
  digestOf,
  signDetached,
  type AgreementContent,
  type AuditEntry,
  type VersionAttestation,
} from '@strokeshare/chaincode';
import { verifiedProvenance, type ProvenanceFacts } from './provenance.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signingKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const at = '2026-11-22T12:00:00Z';
const content = {
  type: 'strokeshare/agreement',
  agreementId: 'stroke',
  version: 2,
  owners: ['Hospital1MSP'],
} as unknown as AgreementContent;
const batches = [
  { batchId: 'b1', merkleRoot: '1'.repeat(64) },
  { batchId: 'b2', merkleRoot: '2'.repeat(64) },
];
const merkleRoot = datasetMerkleRoot(batches);

/** What is read of a sound job, to be falsified. */
function facts() {
  const version = {
    ...{ datasetId: 'ist-1', version: 3, merkleRoot, batches },
    ...{ recordsChannel: 'hospital1-records', block: 7, transactionId: 'a'.repeat(64) },
  } as unknown as VersionAttestation;
  const entry = (transaction: string, jobId: string) =>
    ({ entryId: `${transaction} id`, transaction, jobId, at, by: { mspId: 'ResearchMSP' } }) as AuditEntry;
  return {
    access: {
      job: {
        ...{ jobId: 'j', researcherId: 'r', agreementId: 'stroke', agreementVersion: 2, epochId: 'e' },
        ...{ agreementDigest: digestOf(content), planHash: 'p', datasets: ['ist-1'] },
        versions: { 'ist-1': { version: 3, merkleRoot } },
      },
      datasets: [{ datasetId: 'ist-1', owner: 'Hospital1MSP', merkleRoot }],
    },
    agreement: {
      content,
      signatures: { Hospital1MSP: { signature: signDetached(content, privateKey), at } },
    },
    versions: [version],
    institutions: [{ mspId: 'Hospital1MSP', signingKeys: [{ signingKey, from: '2026-01-01T00:00:00Z' }] }],
    entries: [entry('JobContract:Submit', 'j'), entry('JobContract:CloseRelease', 'j')],
    peers: 2,
  };
}
type Facts = ReturnType<typeof facts>;
const verified = (changed: Facts) => verifiedProvenance(changed as unknown as ProvenanceFacts);

test('names agreement, signers, versions, batches and transactions', () => {
  expect(verified(facts())).toMatchObject({
    agreement: { agreementId: 'stroke', version: 2, signedBy: ['Hospital1MSP'] },
    datasets: [{ datasetId: 'ist-1', owner: 'Hospital1MSP', version: 3, block: 7, batches }],
    transactions: [
      { transactionId: 'JobContract:Submit id', by: 'ResearchMSP', at },
      { transactionId: 'JobContract:CloseRelease id' },
    ],
    peers: 2,
  });
});

test.each<[string, (of: Facts) => unknown, RegExp]>([
  ['another agreement', (of) => (of.agreement.content = { ...content, version: 3 }), /another digest/],
  [
    'an agreement nobody signed',
    (of) => (of.agreement.signatures = {} as never),
    /no valid signature of Hospital1MSP/,
  ],
  [
    'a signature by a key that was never enrolled',
    (of) =>
      (of.agreement.signatures.Hospital1MSP.signature = signDetached(
        content,
        generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
      )),
    /no valid signature/,
  ],
  ['another version', (of) => (of.access.job.versions['ist-1'].version = 2), /another version/],
  ['no version at all', (of) => (of.versions = []), /another version/],
  [
    'other batches under the same root',
    (of) => (of.versions[0]!.batches = batches.slice(1)),
    /batches of ist-1 have another root/,
  ],
  ['a dataset that is left out', (of) => (of.access.datasets = []), /a dataset is missing/],
  ["another job's trail", (of) => of.entries.splice(0, 1), /submission is not in the audit trail/],
])('%s is refused', (_name, falsify, message) => {
  const changed = facts();
  falsify(changed);
  expect(() => verified(changed)).toThrow(message);
});
