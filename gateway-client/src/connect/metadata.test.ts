import { metadataOf } from '../../../chaincode/test/support/memoryLedger.js';
import type { Ledger } from './ledger.js';
import { compareMetadata } from './metadata.js';

/** A ledger whose chaincode answers some metadata. */
const answering = (metadata: unknown): Ledger =>
  ({ evaluate: async () => JSON.stringify(metadata) }) as unknown as Ledger;

test.each(['consortium', 'records'] as const)(
  'this client and the contracts of %s agree',
  async (chaincode) => {
    await expect(compareMetadata(answering(metadataOf(chaincode)), chaincode, 'channel')).resolves.toEqual(
      [],
    );
  },
);

test('says in which transactions contracts of another version differ', async () => {
  const metadata = structuredClone(metadataOf('consortium')) as unknown as {
    contracts: Record<
      string,
      {
        transactions: {
          name: string;
          tag: string[];
          parameters: { description: string }[];
          returns: object;
        }[];
      }
    >;
  };
  const jobs = metadata.contracts['JobContract']!;
  const named = (name: string) => jobs.transactions.find((transaction) => transaction.name === name)!;
  named('Submit').parameters[0]!.description = 'Submits. JSON of: {"type":"object"}';
  named('Get').returns = { type: 'string' };
  named('Cancel').tag = ['EVALUATE'];
  jobs.transactions = jobs.transactions.filter(({ name }) => name !== 'List');
  const found = await compareMetadata(answering(metadata), 'consortium', 'consortium');
  expect(found.map(({ transaction, what }) => `${transaction} ${what}`).sort()).toEqual([
    'JobContract:Cancel commits',
    'JobContract:Get response',
    'JobContract:List missing',
    'JobContract:Submit request',
  ]);
  await expect(compareMetadata(answering('no'), 'consortium', 'consortium')).rejects.toMatchObject({
    code: 'ANSWER_INVALID',
  });
});
