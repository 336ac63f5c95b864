import type { Bed } from '../harness/bed.js';

/** What a transaction sees of itself: nothing. */
export function ownWrites(bed: () => Bed): void {
  it('does not read what it wrote', async () => {
    const key = bed().unique('own');
    await bed().submit('put', key, 'before');
    await expect(bed().submit('readAfterWrite', key, 'after')).resolves.toBe('before');
    await expect(bed().evaluate('get', key)).resolves.toBe('after');
  });

  it('reads what it deleted', async () => {
    const key = bed().unique('deleted');
    await bed().submit('put', key, 'still there');
    await expect(bed().submit('readAfterDelete', key)).resolves.toBe('still there');
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it('does not find its own writes in a range', async () => {
    const prefix = bed().unique('ranged');
    await bed().submit('put', `${prefix}/a`, 'x');
    const seen = await bed().submit('Queries:rangeAfterWrite', `${prefix}/`, `${prefix}0`, `${prefix}/b`);
    expect(JSON.parse(seen)).toEqual([`${prefix}/a`]);
    await expect(bed().query('Queries:keys', `${prefix}/`, `${prefix}0`)).resolves.toEqual([
      `${prefix}/a`,
      `${prefix}/b`,
    ]);
  });

  it('keeps the last of two writes of a key', async () => {
    const key = bed().unique('twice');
    await bed().submit('putTwice', key, 'first', 'last');
    await expect(bed().evaluate('get', key)).resolves.toBe('last');
    await expect(bed().query('Queries:history', key)).resolves.toHaveLength(1);
  });

  it('deletes what it wrote before', async () => {
    const key = bed().unique('gone');
    await bed().submit('putThenDelete', key, 'x');
    await expect(bed().evaluate('get', key)).resolves.toBe('');
  });

  it("does not see a key's policy that it set", async () => {
    const key = bed().unique('policy');
    await bed().submit('put', key, 'x');
    await expect(bed().submit('policyAfterSet', key, '["Org1MSP","Org2MSP"]')).resolves.toBe('[]');
    await expect(bed().query('policyOf', key)).resolves.toEqual(['Org1MSP', 'Org2MSP']);
  });
}
