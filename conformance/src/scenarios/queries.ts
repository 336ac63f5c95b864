import { status } from '@grpc/grpc-js';
import type { Bed } from '../harness/bed.js';
import { failure } from '../harness/failure.js';

interface Version {
  txId: string;
  value: string;
  isDelete: boolean;
  seconds: number;
}

/** Ranges, pages and composite keys. */
export function queries(bed: () => Bed): void {
  let prefix: string;

  beforeAll(async () => {
    prefix = bed().unique('range');
    await bed().submit('putMany', `${prefix}/`, '250', 'v');
    const composites: [string, string, string][] = [
      ['red', 'apple', '1'],
      ['red', 'cherry', '2'],
      ['reddish', 'grape', '3'],
      ['yellow', 'banana', '4'],
    ];
    for (const [colour, fruit, value] of composites)
      await bed().submit('Queries:putComposite', prefix, JSON.stringify([colour, fruit]), value);
  });

  const name = (index: number): string => `${prefix}/${String(index).padStart(4, '0')}`;

  it('takes the start of a range and leaves out its end', async () => {
    await expect(bed().query('Queries:range', name(3), name(6))).resolves.toEqual([
      [name(3), 'v'],
      [name(4), 'v'],
      [name(5), 'v'],
    ]);
  });

  it('reads a range beyond one answer of the stream', async () => {
    const keys = (await bed().query('Queries:keys', name(0), name(240))) as string[];
    expect(keys).toHaveLength(240);
    expect(keys.at(-1)).toBe(name(239));
    expect([...keys].sort()).toEqual(keys);
  });

  it('finds nothing in an empty range', async () => {
    await expect(bed().query('Queries:keys', `${prefix}/x`, `${prefix}/y`)).resolves.toEqual([]);
  });

  it('finds nothing where the end is before the start', async () => {
    await expect(bed().query('Queries:keys', name(9), name(1))).resolves.toEqual([]);
  });

  it('can stop before the end of a range', async () => {
    await expect(bed().query('Queries:firstOf', name(0), name(200), '2', '')).resolves.toEqual([
      name(0),
      name(1),
    ]);
  });

  it('leaves deleted keys out of ranges', async () => {
    const start = bed().unique('holes');
    await bed().submit('putMany', `${start}/`, '3', 'v');
    await bed().submit('del', `${start}/0001`);
    await expect(bed().query('Queries:keys', `${start}/`, `${start}0`)).resolves.toEqual([
      `${start}/0000`,
      `${start}/0002`,
    ]);
  });

  it('orders keys by their bytes', async () => {
    const start = bed().unique('order');
    await bed().submit(
      'putAll',
      JSON.stringify({ [`${start}/é`]: '1', [`${start}/z`]: '2', [`${start}/Z`]: '3' }),
    );
    await expect(bed().query('Queries:keys', `${start}/`, `${start}0`)).resolves.toEqual([
      `${start}/Z`,
      `${start}/z`,
      `${start}/é`,
    ]);
  });

  it('leaves composite keys out of a range without bounds', async () => {
    const keys = (await bed().query('Queries:keys', '', '')) as string[];
    expect(keys.length).toBeGreaterThan(250);
    expect(keys.filter((key) => key.startsWith('\u0000'))).toEqual([]);
  });

  it('reads a range page by page', async () => {
    await expect(bed().query('Queries:page', name(0), name(5), '2', '')).resolves.toEqual({
      found: [name(0), name(1)],
      fetchedRecordsCount: 2,
      bookmark: name(2),
    });
    await expect(bed().query('Queries:page', name(0), name(5), '2', name(2))).resolves.toEqual({
      found: [name(2), name(3)],
      fetchedRecordsCount: 2,
      bookmark: name(4),
    });
    await expect(bed().query('Queries:page', name(0), name(5), '2', name(4))).resolves.toEqual({
      found: [name(4)],
      fetchedRecordsCount: 1,
      bookmark: '',
    });
  });

  it('gives no bookmark where a page ends with the range', async () => {
    await expect(bed().query('Queries:page', name(0), name(4), '4', '')).resolves.toEqual({
      found: [name(0), name(1), name(2), name(3)],
      fetchedRecordsCount: 4,
      bookmark: '',
    });
  });

  it('reads a page beyond one answer of the stream', async () => {
    const page = (await bed().query('Queries:page', name(0), `${prefix}0`, '150', '')) as {
      found: string[];
    };
    expect(page).toMatchObject({ fetchedRecordsCount: 150, bookmark: name(150) });
    expect(page.found).toHaveLength(150);
  });

  it('commits a transaction that reads a page and writes nothing', async () => {
    const page = JSON.parse(await bed().submit('Queries:page', name(0), name(5), '2', '')) as unknown;
    expect(page).toMatchObject({ fetchedRecordsCount: 2 });
  });

  it('refuses to write after a page', async () => {
    const refused = await failure(bed().submit('Queries:pageThenPut', name(0), name(5)));
    expect(refused).toMatchObject({
      code: status.ABORTED,
      text: 'failed to endorse transaction, see attached details for more info',
    });
    expect(refused.details[0]?.message).toContain(
      'Transaction has already performed a paginated query. Writes are not allowed',
    );
  });

  it('refuses a page after a write', async () => {
    const refused = await failure(bed().submit('Queries:putThenPage', name(0), name(5)));
    expect(refused.code).toBe(status.ABORTED);
    expect(refused.details[0]?.message).toContain(
      'Paginated queries are supported only in a read-only transaction',
    );
  });

  it('finds composite keys by their first attributes', async () => {
    await expect(bed().query('Queries:composites', prefix, '["red"]')).resolves.toEqual([
      [['red', 'apple'], '1'],
      [['red', 'cherry'], '2'],
    ]);
  });

  it('finds all composite keys of a type', async () => {
    await expect(bed().query('Queries:composites', prefix, '[]')).resolves.toHaveLength(4);
  });

  it('finds a composite key by all of its attributes', async () => {
    await expect(bed().query('Queries:composites', prefix, '["red","apple"]')).resolves.toEqual([
      [['red', 'apple'], '1'],
    ]);
  });

  it('reads composite keys page by page', async () => {
    const first = (await bed().query('Queries:compositePage', prefix, '[]', '3', '')) as {
      bookmark: string;
    };
    expect(first).toMatchObject({
      found: [
        ['red', 'apple'],
        ['red', 'cherry'],
        ['reddish', 'grape'],
      ],
      count: 3,
    });
    await expect(bed().query('Queries:compositePage', prefix, '[]', '3', first.bookmark)).resolves.toEqual({
      found: [['yellow', 'banana']],
      count: 1,
      bookmark: '',
    });
  });

  it('refuses rich queries', async () => {
    const refused = await failure(bed().evaluate('Queries:richQuery', '{"selector":{}}'));
    expect(refused.code).toBe(status.UNKNOWN);
    expect(refused.text).toContain('ExecuteQuery not supported for leveldb');
  });

  it('tells the history of a key, newest first', async () => {
    const key = bed().unique('story');
    await bed().submit('put', key, 'one');
    await bed().submit('put', key, 'two');
    await bed().submit('del', key);
    await bed().submit('put', key, 'three');
    const history = (await bed().query('Queries:history', key)) as Version[];
    expect(history.map(({ value, isDelete }) => [value, isDelete])).toEqual([
      ['three', false],
      ['', true],
      ['two', false],
      ['one', false],
    ]);
    expect(new Set(history.map(({ txId }) => txId)).size).toBe(4);
    for (const { seconds } of history) expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(120);
  });

  it('tells an empty history of an unknown key', async () => {
    await expect(bed().query('Queries:history', bed().unique('no story'))).resolves.toEqual([]);
  });

  it('leaves invalid transactions out of the history', async () => {
    const key = bed().unique('short story');
    await bed().submit('put', key, 'valid');
    await expect(
      bed().code('put', { arguments: [key, 'invalid'], endorsingOrganizations: ['Org1MSP'] }),
    ).resolves.toBe(10);
    await expect(bed().query('Queries:history', key)).resolves.toHaveLength(1);
  });

  it('does not confuse the histories of keys that begin alike', async () => {
    const key = bed().unique('alike');
    await bed().submit('put', key, 'one');
    await bed().submit('put', `${key}0`, 'another');
    await expect(bed().query('Queries:history', key)).resolves.toHaveLength(1);
  });
}
