import { type Bed } from '../harness/bed.js';
import { chaincodes } from '../harness/layout.js';
import { StatusCode } from '@hyperledger/fabric-gateway';

const { VALID, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT } = StatusCode;

/** Transactions that were endorsed on a state which changed before their commit. */
export function conflicts(bed: () => Bed): void {
  it('lets one of two transactions win that read and write a key', async () => {
    const key = bed().unique('counter');
    await bed().submit('put', key, '1');
    await expect(bed().race(['increment', key], ['increment', key])).resolves.toEqual([
      VALID,
      MVCC_READ_CONFLICT,
    ]);
    await expect(bed().evaluate('get', key)).resolves.toBe('2');
  });

  it('lets both of two blind writes be valid, and the last one stay', async () => {
    const key = bed().unique('blind');
    await expect(bed().race(['put', key, 'one'], ['put', key, 'two'])).resolves.toEqual([VALID, VALID]);
    await expect(bed().evaluate('get', key)).resolves.toBe('two');
  });

  it('refuses a transaction that read what is not the newest any more', async () => {
    const [from, to] = [bed().unique('from'), bed().unique('to')];
    await bed().submit('put', from, 'old');
    await expect(bed().race(['put', from, 'new'], ['copy', from, to])).resolves.toEqual([
      VALID,
      MVCC_READ_CONFLICT,
    ]);
    await expect(bed().evaluate('get', to)).resolves.toBe('');
  });

  it('refuses a transaction that read a key before it was there', async () => {
    const [from, to] = [bed().unique('from'), bed().unique('to')];
    await expect(bed().race(['put', from, 'new'], ['copy', from, to])).resolves.toEqual([
      VALID,
      MVCC_READ_CONFLICT,
    ]);
  });

  it('refuses a transaction that read a key before it was deleted', async () => {
    const [from, to] = [bed().unique('from'), bed().unique('to')];
    await bed().submit('put', from, 'old');
    await expect(bed().race(['del', from], ['copy', from, to])).resolves.toEqual([VALID, MVCC_READ_CONFLICT]);
  });

  it('counts a write of the same value as a change', async () => {
    const [from, to] = [bed().unique('from'), bed().unique('to')];
    await bed().submit('put', from, 'same');
    await expect(bed().race(['put', from, 'same'], ['copy', from, to])).resolves.toEqual([
      VALID,
      MVCC_READ_CONFLICT,
    ]);
  });

  it('finds conflicts with blocks that came between, too', async () => {
    const [from, to] = [bed().unique('from'), bed().unique('to')];
    await bed().submit('put', from, 'old');
    const late = await bed()
      .contract()
      .newProposal('copy', { arguments: [from, to] })
      .endorse();
    await bed().submit('put', from, 'new');
    const { code } = await (await late.submit()).getStatus();
    expect(code).toBe(MVCC_READ_CONFLICT);
  });

  it('lets a transaction succeed that is endorsed again after a conflict', async () => {
    const key = bed().unique('again');
    await bed().submit('put', key, '1');
    await bed().race(['increment', key], ['increment', key]);
    await expect(bed().submit('increment', key)).resolves.toBe('3');
  });

  it.each([
    ['few', 3],
    ['many', 130],
  ])('finds a key that appeared in a range of %s', async (_, count) => {
    const [prefix, into] = [bed().unique('phantom'), bed().unique('count')];
    await bed().submit('putMany', `${prefix}/`, String(count), 'v');
    await expect(
      bed().race(['put', `${prefix}/0001x`, 'v'], ['Queries:countInto', `${prefix}/`, `${prefix}0`, into]),
    ).resolves.toEqual([VALID, PHANTOM_READ_CONFLICT]);
    await expect(bed().evaluate('get', into)).resolves.toBe('');
  });

  it.each([
    ['few', 3],
    ['many', 130],
  ])('finds a key that vanished from a range of %s', async (_, count) => {
    const [prefix, into] = [bed().unique('vanished'), bed().unique('count')];
    await bed().submit('putMany', `${prefix}/`, String(count), 'v');
    await expect(
      bed().race(['del', `${prefix}/0001`], ['Queries:countInto', `${prefix}/`, `${prefix}0`, into]),
    ).resolves.toEqual([VALID, PHANTOM_READ_CONFLICT]);
  });

  it('finds a key that changed in a range', async () => {
    const [prefix, into] = [bed().unique('changed'), bed().unique('count')];
    await bed().submit('putMany', `${prefix}/`, '3', 'v');
    await expect(
      bed().race(['put', `${prefix}/0001`, 'w'], ['Queries:countInto', `${prefix}/`, `${prefix}0`, into]),
    ).resolves.toEqual([VALID, PHANTOM_READ_CONFLICT]);
  });

  it('finds a key that appeared in a range which was empty', async () => {
    const [prefix, into] = [bed().unique('empty'), bed().unique('count')];
    await expect(
      bed().race(['put', `${prefix}/a`, 'v'], ['Queries:countInto', `${prefix}/`, `${prefix}0`, into]),
    ).resolves.toEqual([VALID, PHANTOM_READ_CONFLICT]);
  });

  it.each([
    ['the first batch of a range', '0050x', PHANTOM_READ_CONFLICT],
    ['what the peer has not read of a range', '0120x', VALID],
  ])('protects a range by batches of a hundred: a new key in %s', async (_, key, expected) => {
    const [prefix, into] = [bed().unique('partial'), bed().unique('first')];
    await bed().submit('putMany', `${prefix}/`, '130', 'v');
    await expect(
      bed().race(
        ['put', `${prefix}/${key}`, 'v'],
        ['Queries:firstOf', `${prefix}/`, `${prefix}0`, '2', into],
      ),
    ).resolves.toEqual([VALID, expected]);
  });

  it('finds a composite key that appeared', async () => {
    const [type, into] = [bed().unique('type'), bed().unique('count')];
    await bed().submit('Queries:putComposite', type, '["a"]', '1');
    await expect(
      bed().race(['Queries:putComposite', type, '["b"]', '2'], ['Queries:countComposites', type, into]),
    ).resolves.toEqual([VALID, PHANTOM_READ_CONFLICT]);
  });

  it('does not protect what was read from the history of a key', async () => {
    const [key, into] = [bed().unique('history'), bed().unique('length')];
    await bed().submit('put', key, 'one');
    await expect(bed().race(['put', key, 'two'], ['Queries:historyInto', key, into])).resolves.toEqual([
      VALID,
      VALID,
    ]);
  });

  it('does not mix up equal keys of two chaincodes', async () => {
    const key = bed().unique('own');
    const other = bed().contract(chaincodes.neighbour);
    await bed().submit('put', key, '1');
    const counted = await bed()
      .contract()
      .newProposal('increment', { arguments: [key] })
      .endorse();
    await other.submitTransaction('put', key, 'x');
    const { code } = await (await counted.submit()).getStatus();
    expect(code).toBe(VALID);
  });

  it('keeps one of many transactions on a hot key', async () => {
    const key = bed().unique('hot');
    await bed().submit('put', key, '0');
    const codes = await bed().race(...Array.from({ length: 12 }, () => ['increment', key] as const));
    expect(codes.filter((code) => code === VALID)).toHaveLength(1);
    expect(codes.filter((code) => code === MVCC_READ_CONFLICT)).toHaveLength(11);
    await expect(bed().evaluate('get', key)).resolves.toBe('1');
  });

  it('keeps all of many transactions that each write their own key', async () => {
    const prefix = bed().unique('cool');
    const codes = await bed().race(
      ...Array.from({ length: 12 }, (_, index) => ['increment', `${prefix}/${index}`] as const),
    );
    expect(codes).toEqual(Array(12).fill(VALID));
  });
}
