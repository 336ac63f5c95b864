import { readDelimited, type TableFormat } from './delimited.js';

const CSV: TableFormat = { encoding: 'utf-8', delimiter: ',' };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function* pieces(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** Rows as `line: cells`. */
async function rows(table: string | AsyncIterable<Uint8Array>, format = CSV): Promise<string[]> {
  const all: string[] = [];
  for await (const { cells, lines } of readDelimited(
    typeof table === 'string' ? bytes(table) : table,
    format,
  ))
    all.push(...cells.map((row, i) => `${lines[i]}: ${row.map((cell) => `<${cell}>`).join('')}`));
  return all;
}

test.each(['\n', '\r\n', '\r'])('lines may end in %j, the last one in nothing', async (end) => {
  const expected = ['1: <A><B>', '2: <1><>', '3: <2><x>'];
  expect(await rows(['A,B', '1,', '2,x'].join(end))).toEqual(expected);
  expect(await rows(['A,B', '1,', '2,x', ''].join(end))).toEqual(expected);
});

test('empty lines are passed over and counted, and a row knows the line that it begins in', async () => {
  expect(await rows('\nA,B\n\n"1\n1",x\n2,y\n\n')).toEqual(['2: <A><B>', '4: <1\n1><x>', '6: <2><y>']);
});

test('quoted cells hold delimiters, quotes and line ends, in the header too', async () => {
  expect(await rows('"A\r\n1","B, C"\r\n"say ""no""",""\r\n1,2\r\n')).toEqual([
    '1: <A\r\n1><B, C>',
    '3: <say "no"><>',
    '4: <1><2>',
  ]);
});

test('a quote within a cell that is not quoted is a character of it', async () => {
  expect(await rows(`A,B\n5'11",O"Neill\n`)).toEqual(['1: <A><B>', `2: <5'11"><O"Neill>`]);
});

test('tabs may stand between cells, and a byte order mark before the first', async () => {
  expect(await rows('\ufeffA\tB\n1,5\t2\n', { ...CSV, delimiter: '\t' })).toEqual([
    '1: <A><B>',
    '2: <1,5><2>',
  ]);
});

test('rows of any number of cells come as they are', async () => {
  expect(await rows('A,B\n1\n1,2,3\n')).toEqual(['1: <A><B>', '2: <1>', '3: <1><2><3>']);
});

test.each([
  ['is not closed', 'A,B\n1,2\n"3,4\n5,6\n', 3],
  ['goes on behind its end', 'A,B\n"1"1,2\n3,4\n', 2],
  ['goes on behind its end after many rows', `A,B\n${'"1",2\n'.repeat(20_000)}"1"1,2\n3,4\n`, 20_002],
])('a quoted cell that %s makes the table unreadable', async (_, text, line) => {
  await expect(rows(text)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: `The table cannot be read: the quotes of line ${line} do not match.`,
  });
});

test('a row without an end is given up long before the table ends', async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield bytes('A,B\n1,"');
    for (; given < 1000; given += 1) yield bytes('x\n'.repeat(2 ** 15));
  }
  await expect(rows(endless())).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining('line 2 begins a row of more than 1048576 characters'),
  });
  expect(given).toBeLessThan(20);
});

test('a table that comes in pieces is read as a whole one, wherever it is cut', async () => {
  const text = 'A,"B\r\n"\r\n"1 ""x"", y",é\r\n\r\n"",\r\n2,"3"\r\n4,"5"';
  const whole = bytes(text);
  const expected = await rows(text);
  expect(expected).toEqual(['1: <A><B\r\n>', '3: <1 "x", y><é>', '5: <><>', '6: <2><3>', '7: <4><5>']);
  for (let cut = 0; cut <= whole.length; cut += 1)
    expect(await rows(pieces(whole.subarray(0, cut), whole.subarray(cut)))).toEqual(expected);
  expect(await rows(pieces(...Array.from(whole, (byte) => Uint8Array.of(byte))))).toEqual(expected);
});

test('rows come while the table is still being read', async () => {
  let given = 0;
  async function* table(): AsyncGenerator<Uint8Array> {
    for (; given < 100; given += 1) yield bytes('1,2\n'.repeat(1000));
  }
  for await (const some of readDelimited(table(), CSV)) {
    expect(some.cells).toHaveLength(1000);
    break;
  }
  expect(given).toBe(0);
});
