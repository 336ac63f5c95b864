import {
  batchMerkleRoot,
  datasetMerkleRoot,
  type DatasetManifest,
  type JobAccess,
} from '@strokeshare/chaincode';
import { encodeBlob } from '@strokeshare/fhe';
import { checkedManifest, manifestBlob } from './manifest.js';

const place = { parameterSetId: 'ab'.repeat(32), epochId: 'epoch-1' };
const columns = { _row: '11'.repeat(32), AGE: '22'.repeat(32) };
const merkleRoot = batchMerkleRoot(columns);
const manifest: DatasetManifest = {
  version: 1,
  datasetId: 'd1',
  epochId: 'epoch-1',
  batches: [{ batchId: 'batch-0001', merkleRoot, columns }],
};
const batches = [{ batchId: 'batch-0001', merkleRoot }];
const dataset = {
  datasetId: 'd1',
  owner: 'Hospital1MSP',
  merkleRoot: datasetMerkleRoot(batches),
  batches,
} as JobAccess['datasets'][number];

test('gives the columns of a manifest that is as the ledger says', () => {
  expect(checkedManifest(manifestBlob(place, manifest), place, dataset)).toEqual(manifest);
});

const other = '33'.repeat(32);
const forged = { ...columns, AGE: other };
test.each<[string, unknown, Partial<typeof dataset>]>([
  ['another column under the same root', { ...manifest, batches: [{ ...batches[0], columns: forged }] }, {}],
  [
    'another root than the ledger',
    {
      ...manifest,
      batches: [{ batchId: 'batch-0001', merkleRoot: batchMerkleRoot(forged), columns: forged }],
    },
    {},
  ],
  [
    'a batch more',
    { ...manifest, batches: [manifest.batches[0], { ...manifest.batches[0], batchId: 'b2' }] },
    {},
  ],
  ['another dataset', { ...manifest, datasetId: 'd2' }, {}],
  ['another epoch', { ...manifest, epochId: 'epoch-2' }, {}],
  ['no manifest', { version: 1 }, {}],
  ['a dataset root that is not that of its batches', manifest, { merkleRoot: other }],
])('refuses %s', (_, content, change) => {
  expect(() => checkedManifest(manifestBlob(place, content), place, { ...dataset, ...change })).toThrow(
    expect.objectContaining({ code: 'REPLAY_MISMATCH', message: expect.stringContaining('Hospital1MSP') }),
  );
});

test('refuses a text that is not canonical, and a blob of another epoch', () => {
  const spaced = encodeBlob(
    { kind: 'manifest', ...place },
    Buffer.from(JSON.stringify(manifest, undefined, 1)),
  );
  expect(() => checkedManifest(spaced, place, dataset)).toThrow(
    expect.objectContaining({ code: 'REPLAY_MISMATCH' }),
  );
  const elsewhere = manifestBlob({ ...place, epochId: 'epoch-2' }, manifest);
  expect(() => checkedManifest(elsewhere, place, dataset)).toThrow(
    expect.objectContaining({ code: 'EPOCH_MISMATCH' }),
  );
});
