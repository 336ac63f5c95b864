import { privateRecords } from '../src/index.js';
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
