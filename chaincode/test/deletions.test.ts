import { batchMerkleRoot, privateRecords } from '../src/index.js';
import { PROVENANCE } from './support/foundation.js';
import { type Identity, identity } from './support/identities.js';
import { MemoryLedger } from './support/memoryLedger.js';

const { RecordDeletion, ListDeletions } = privateRecords.RecordsContract;
const CHANNEL = 'hospital1-records';
const ledger = new MemoryLedger();
let node: Identity;
beforeAll(async () => {
  node = await identity('Hospital1MSP', 'storage', 'institution');
});

const record = (object: string, changes: Partial<Parameters<typeof ledger.call>[1] & object> = {}) =>
  ledger.call(
    RecordDeletion,
    {
      object: object.repeat(64),
      requestDigest: '1'.repeat(64),
      reason: 'The retention has ended.',
      approvedBy: ['CN=ann', 'CN=bob'],
      ...changes,
    },
    { identity: node },
    CHANNEL,
  );

it('records a deletion once, with who approved it, and takes nothing back', async () => {
  const first = await record('a');
  expect(first).toMatchObject({ approvedBy: ['CN=ann', 'CN=bob'] });
  expect(await record('a')).toEqual(first);
  await expect(record('a', { requestDigest: '2'.repeat(64) })).rejects.toThrow('ALREADY_EXISTS');
  await record('b');
  const { items } = await ledger.call(ListDeletions, {}, { identity: node }, CHANNEL);
  expect(items.map(({ object }) => object[0])).toEqual(['a', 'b']);
});

it('wants two people', async () => {
  await expect(record('c', { approvedBy: ['CN=ann', 'CN=ann'] })).rejects.toThrow('BAD_REQUEST');
});

it('keeps the ciphertexts of a batch in use, and of one that has ended for as long as was said', async () => {
  const { SubmitBatch, TombstoneBatch } = privateRecords.RecordsContract;
  const call = { identity: node };
  const hash = (digit: string): string => digit.repeat(64);
  const batch = (batchId: string, columns: Record<string, string>) => ({
    ...{ batchId, datasetId: 'ist-1', epochId: 'epoch-1', manifestHash: hash('0'), rows: 5 },
    ...{ columns, merkleRoot: batchMerkleRoot(columns), provenance: PROVENANCE },
  });
  await ledger.call(SubmitBatch, batch('b-1', { AGE: hash('d'), _row: hash('e') }), call, CHANNEL);
  await expect(record('d')).rejects.toThrow('ILLEGAL_STATE: The object is of the batch b-1');

  const retainUntil = new Date(ledger.now + 86_400_000).toISOString();
  // The successor has one of the two ciphertexts still.
  const successor = batch('b-2', { AGE: hash('f'), _row: hash('e') });
  const supersedes = { batchId: 'b-1', reason: 'CORRECTION' as const, retainUntil };
  await ledger.call(SubmitBatch, { ...successor, supersedes }, call, CHANNEL);
  await expect(record('d')).rejects.toThrow(`TOO_EARLY: The object is of the batch b-1, which is kept until`);
  ledger.now += 86_400_000;
  expect(await record('d')).toMatchObject({ object: hash('d') });
  await expect(record('e')).rejects.toThrow('ILLEGAL_STATE: The object is of the batch b-2');

  const until = new Date(ledger.now).toISOString();
  const tombstone = { datasetId: 'ist-1', batchId: 'b-2', note: 'Withdrawn.', retainUntil: until };
  await ledger.call(TombstoneBatch, { ...tombstone, reason: 'CONSENT' }, call, CHANNEL);
  expect(await record('e')).toMatchObject({ object: hash('e') });
});
