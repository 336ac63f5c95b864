import { layOut, parseLayout, storedColumns } from './layout.js';

const set = { dataPrimes: 4 };
const columns = ['_row', 'A', 'B', 'C'];
const refused = expect.objectContaining({ code: 'LAYOUT_INVALID' });

test('columns are stored alone unless they are in a pair', () => {
  const layout = parseLayout({ pairs: [['A', 'C']], alone: ['C'], linear: ['_row', 'A&C'] });
  expect(storedColumns(columns, layout, set)).toEqual([
    { name: '_row', parts: ['_row'], primes: 2 },
    { name: 'B', parts: ['B'], primes: 4 },
    { name: 'C', parts: ['C'], primes: 4 },
    { name: 'A&C', parts: ['A', 'C'], primes: 2 },
  ]);
  const values = new Map(columns.map((name, i) => [name, Float64Array.of(i)]));
  const packed = layOut(values, layout, set);
  expect([...packed.keys()]).toEqual(['_row', 'B', 'C', 'A&C']);
  expect(packed.get('A&C')).toEqual({ parts: [Float64Array.of(1), Float64Array.of(3)], primes: 2 });
});

test('a layout that names what does not exist is refused', () => {
  expect(() => storedColumns(columns, { pairs: [['A', 'X']] }, set)).toThrow(refused);
  expect(() => storedColumns(columns, { pairs: [], linear: ['A&B'] }, set)).toThrow(refused);
  expect(() => storedColumns(columns, { pairs: [['A', 'B']], linear: ['A'] }, set)).toThrow(refused);
  for (const bad of [
    {},
    { pairs: [['A']] },
    { pairs: [['A', 'A']] },
    {
      pairs: [
        ['A', 'B'],
        ['C', 'B'],
      ],
    },
  ])
    expect(() => parseLayout(bad)).toThrow(refused);
});
