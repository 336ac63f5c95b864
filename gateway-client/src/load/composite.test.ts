/** Composites of quality measures, derived when a table is read: what the registry's variables ALLCARE and CARESHARE are. */
import { parseSchema } from '@strokeshare/fhe';
import { loadRecords } from './index.js';
import { parseMapping } from './mapping.js';

const schema = parseSchema({
  name: 'measures',
  version: '1',
  variables: [
    { name: 'ALLCARE', kind: 'boolean', missing: true },
    { name: 'CARESHARE', kind: 'numeric', minimum: 0, maximum: 1, unit: '1', missing: true },
    { name: 'BLED', kind: 'boolean', missing: true },
  ],
});
const columns = ['IVT', 'STATIN', 'SWALLOW'];
// This table writes yes and no in its own words.
const mapping = parseMapping({
  truths: ['done'],
  falsehoods: ['left'],
  fields: {
    ALLCARE: { allMet: columns, missing: ['n/a'] },
    CARESHARE: { shareMet: columns, missing: ['n/a'] },
    BLED: { anyOf: ['SICH', 'BLEED'] },
  },
});

test('care that applied counts, care that did not apply does not, and nothing else is guessed', async () => {
  const rows = [
    'IVT,STATIN,SWALLOW,SICH,BLEED',
    'done,done,n/a,left,done',
    'done,left,left,left,left',
    'n/a,,n/a,left,',
    'done,perhaps,done,left,left',
  ];
  const { records, rejected } = await loadRecords(Buffer.from(`${rows.join('\n')}\n`), { schema, mapping });
  expect(records.map(({ values }) => values)).toEqual([
    { ALLCARE: true, CARESHARE: 1, BLED: true },
    { ALLCARE: false, CARESHARE: 1 / 3, BLED: false },
    { ALLCARE: null, CARESHARE: null, BLED: null },
  ]);
  expect(rejected).toEqual([
    expect.objectContaining({ reason: expect.stringMatching(/ALLCARE is neither true nor false/) }),
  ]);
});

test('a field has one source', () => {
  expect(() => parseMapping({ fields: { ALLCARE: { allMet: columns, from: 'IVT' } } })).toThrow(
    expect.objectContaining({ code: 'MAPPING_INVALID' }),
  );
});
