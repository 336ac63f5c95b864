import fc from 'fast-check';
import { joinPatients, ownPatients, partsOf, requirePatients, withoutPatients } from './own-patients.js';

const refused = { code: 'REQUEST_INVALID' };

test('patients that come some at a time make full batches, nobody lost and everybody with their own values', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(9), { maxLength: 12 }),
      fc.integer({ min: 1, max: 7 }),
      async (sizes, slots) => {
        let next = 0;
        const rows = sizes.map((size) => {
          const ids = Array.from({ length: size }, () => next++);
          return ownPatients(
            ids.map((id) => ({ ID: id, ODD: id % 2 === 1, ...(id % 3 === 0 && { THIRD: 'x' }) })),
            ids.map((id) => `patient ${id}`),
          );
        });
        const parts = [];
        for await (const part of partsOf(rows, slots)) parts.push(part);
        expect(parts.slice(0, -1).every(({ patients }) => patients.length === slots)).toBe(true);
        parts.forEach((part) => requirePatients(part));
        const all = joinPatients(parts);
        const ids = Array.from({ length: next }, (_, id) => id);
        expect(all.patients).toEqual(ids.map((id) => `patient ${id}`));
        if (next === 0) return;
        expect(all.fields.get('ID')).toEqual(ids);
        expect(all.fields.get('ODD')).toEqual(ids.map((id) => id % 2 === 1));
        expect(all.fields.get('THIRD')).toEqual(ids.map((id) => (id % 3 === 0 ? 'x' : null)));
      },
    ),
  );
});

test('who leaves is gone from every field', () => {
  const own = ownPatients([{ AGE: 1 }, { AGE: 2 }, { AGE: 3 }], ['a', 'b', 'c']);
  expect(withoutPatients(own, new Set(['b', 'nobody']))).toEqual({
    fields: new Map([['AGE', [1, 3]]]),
    patients: ['a', 'c'],
  });
});

test('names and values that do not belong together are refused, before they are joined to others', async () => {
  expect(() => ownPatients([{ AGE: 1 }], [])).toThrow(expect.objectContaining(refused));
  expect(() => requirePatients(ownPatients([{}, {}], ['a', 'a']))).toThrow(expect.objectContaining(refused));
  // The lengths together are right, those of each are not.
  const rows = [
    { fields: new Map([['AGE', [1]]]), patients: ['a', 'b'] },
    { fields: new Map([['AGE', [2, 3, 4]]]), patients: ['c', 'd'] },
  ];
  await expect(partsOf(rows, 4).next()).rejects.toMatchObject(refused);
});
