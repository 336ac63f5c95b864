import { parseMapping } from './mapping.js';
import { loadRecords, readRows, type LoadOptions } from './records.js';

const schema: LoadOptions['schema'] = {
  name: 'trial',
  version: '1',
  variables: [
    { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
    {
      name: 'DOSE',
      kind: 'categorical',
      levels: [
        { code: 'N', label: 'none' },
        { code: 'M', label: 'medium' },
      ],
    },
    { name: 'AF', kind: 'boolean', missing: true },
    {
      name: 'SURVIVAL',
      kind: 'timeToEvent',
      missing: true,
      time: 'TD',
      event: 'DIED',
      unit: 'd',
      grid: [14, 180],
    },
  ],
};
const mapping = parseMapping({
  encoding: 'windows-1250',
  fields: { DOSE: { from: 'RXHEP', recode: { H: 'M' } }, AF: { from: 'RATRIAL', missing: ['U', 'u'] } },
});
const bytes = (...lines: string[]) => Buffer.from([...lines, ''].join('\r\n'), 'latin1');
const header = 'AGE,RXHEP,RATRIAL,TD,DIED,PLACE';
const load = (...lines: string[]) => loadRecords(bytes(...lines), { schema, mapping, groupBy: 'PLACE' });

test('maps columns, recodes, and knows what is missing', async () => {
  const { records, rejected } = await load(header, '69,H,Y,187,0,UK', '70,N,,,,ITAL', '16,M,u,3,1,pa\u009f');
  expect(rejected).toEqual([]);
  expect(records).toEqual([
    { line: 2, group: 'UK', values: { AGE: 69, DOSE: 'M', AF: true, TD: 187, DIED: false } },
    { line: 3, group: 'ITAL', values: { AGE: 70, DOSE: 'N', AF: null, TD: null, DIED: null } },
    // Byte 0x9F of windows-1250, the Polish letter of the trial's months.
    { line: 4, group: 'paź', values: { AGE: 16, DOSE: 'M', AF: null, TD: 3, DIED: true } },
  ]);
});

test('leaves out rows that break a rule, with line and reason but without the value', async () => {
  const { records, rejected } = await load(
    header,
    '15,N,Y,1,0,A',
    'x,N,Y,1,0,A',
    ',N,Y,1,0,A',
    '20,L,Y,1,0,A',
    '20,N,?,1,0,A',
    '20,N,Y,-1,0,A',
    '20,N',
    '20,N,Y,1,0,A',
    '0x20,N,Y,1,0,A',
    '2.0e1,N,Y,1,0,A',
  );
  expect(records).toHaveLength(2);
  expect(rejected).toEqual([
    { line: 2, reason: 'AGE is outside 16 to 99' },
    { line: 3, reason: 'AGE is not a number' },
    { line: 4, reason: 'AGE is not recorded, and the schema requires it' },
    { line: 5, reason: 'DOSE is none of N, M' },
    { line: 6, reason: 'AF is neither true nor false' },
    { line: 7, reason: 'TD is outside 0 to Infinity' },
    { line: 8, reason: 'the row has not as many cells as the header' },
    { line: 10, reason: 'AGE is not a number' },
  ]);
});

test('a rejected row between others leaves nothing in any field', async () => {
  const table = bytes(
    header,
    '69,H,Y,187,0,UK',
    '20,N,?,1,0,A',
    '20,N',
    '70,N,,,,ITAL',
    '15,L,Y,1,0,B',
    '16,M,u,3,1,C',
  );
  const rows = [];
  for await (const some of readRows(table, { schema, mapping, groupBy: 'PLACE' }))
    if (some.lines.length > 0) rows.push(some);
  expect(rows).toEqual([
    {
      fields: new Map<string, unknown>([
        ['AGE', [69, 70, 16]],
        ['DOSE', ['M', 'N', 'M']],
        ['AF', [true, null, null]],
        ['TD', [187, null, 3]],
        ['DIED', [false, null, true]],
      ]),
      lines: [2, 5, 7],
      groups: ['UK', 'ITAL', 'C'],
      rejected: [
        { line: 3, reason: 'AF is neither true nor false' },
        { line: 4, reason: 'the row has not as many cells as the header' },
        { line: 6, reason: 'AGE is outside 16 to 99' },
      ],
    },
  ]);
});

test('reads a table that comes in pieces cut anywhere', async () => {
  const whole = bytes(header, '69,H,Y,187,0,UK', '70,N,N,1,1,pa\u009f');
  async function* pieces() {
    for (const byte of whole) yield Uint8Array.of(byte);
  }
  const { records } = await loadRecords(pieces(), { schema, mapping, groupBy: 'PLACE' });
  expect(records.map(({ group }) => group)).toEqual(['UK', 'paź']);
});

test('says which column is missing, doubled or unreadable', async () => {
  await expect(load('AGE,RATRIAL,TD,DIED,PLACE', '1,1,1,1,1')).rejects.toMatchObject({
    code: 'COLUMN_MISSING',
    message: 'The table has no column with the name RXHEP.',
  });
  for (const empty of ['', '\ufeff', '\n\n'])
    await expect(
      loadRecords(Buffer.from(empty), { schema, mapping: { ...mapping, encoding: 'utf-8' } }),
    ).rejects.toMatchObject({ message: 'The table is empty: its first line names the columns.' });
  await expect(load(`${header},AGE`, '1,1,1,1,1,1,1')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  await expect(
    loadRecords(Uint8Array.of(0xff, 0xfe, 0xff), { schema, mapping: { ...mapping, encoding: 'utf-8' } }),
  ).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  await expect(
    loadRecords(bytes(header), { schema, mapping: { ...mapping, encoding: 'klingon' } }),
  ).rejects.toMatchObject({ code: 'MAPPING_INVALID' });
});

test('a mapping that is none is refused with the place', () => {
  expect(() => parseMapping({ fields: { AGE: { form: 'X' } } })).toThrow(/fields\.AGE/);
});

test('derives from several columns, and generalises by stated rules', async () => {
  const derived = parseMapping({
    fields: {
      AF: { anyOf: ['RATRIAL', 'PRIOR'] },
      AGE: { atMost: 90, roundTo: 5 },
      DOSE: { from: 'MG', bands: [0, 10, 100] },
    },
  });
  const bands: LoadOptions['schema'] = {
    name: 'derived',
    version: '1',
    variables: [
      { name: 'AGE', kind: 'numeric', minimum: 16, maximum: 99 },
      { name: 'AF', kind: 'boolean', missing: true },
      {
        name: 'DOSE',
        kind: 'ordinal',
        levels: ['0-9', '10-99'].map((code) => ({ code, label: code })),
      },
    ],
  };
  const { records, rejected } = await loadRecords(
    bytes('AGE,RATRIAL,PRIOR,MG', '97,N,Y,9.9', '63,N,N,10', '62,N,U,99', '62,N,N,100'),
    { schema: bands, mapping: derived },
  );
  expect(records.map(({ values }) => Object.values(values))).toEqual([
    [90, true, '0-9'],
    [65, false, '10-99'],
    [60, null, '10-99'],
  ]);
  expect(rejected).toEqual([{ line: 5, reason: 'DOSE is none of 0-9, 10-99' }]);
});

test.each(['Patient_ID', 'surname', 'MRN', 'date of birth', 'home address', 'e-mail', 'NHS number'])(
  'refuses to map the column %s',
  async (column) => {
    const identified = {
      ...mapping,
      fields: { ...mapping.fields, AGE: { ...mapping.fields['DOSE']!, from: column } },
    };
    await expect(
      loadRecords(bytes(`${column},RXHEP,RATRIAL,TD,DIED`, '1,N,N,1,1'), { schema, mapping: identified }),
    ).rejects.toMatchObject({ code: 'IDENTIFIER_REFUSED', message: expect.stringContaining(column) });
  },
);

test('a signal ends the reading of a table that goes on', async () => {
  const ending = new AbortController();
  let pieces = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield bytes(header);
    for (;;) {
      pieces += 1;
      if (pieces === 3) ending.abort();
      yield bytes(...new Array<string>(100).fill('69,H,Y,187,0,UK'));
    }
  }
  await expect(loadRecords(endless(), { schema, mapping, signal: ending.signal })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
});
