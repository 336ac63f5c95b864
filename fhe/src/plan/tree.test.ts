import fc from 'fast-check';
import { buildTrees, depthOf } from './tree.js';

test('a product that most cells want is computed once', () => {
  const cells = ['a', 'b', 'c'].map((group) => ({ factors: ['x', 'x', group].sort(), primes: 3 }));
  const { operands, products } = buildTrees(cells);
  expect(products).toEqual([{ id: 'x*x@3', left: 'x', right: 'x', primes: 3 }]);
  expect(operands).toEqual([
    ['a', 'x*x@3'],
    ['b', 'x*x@3'],
    ['c', 'x*x@3'],
  ]);
});

test('one and two factors need no inner product', () => {
  expect(
    buildTrees([
      { factors: ['x'], primes: 2 },
      { factors: ['x', 'y'], primes: 3 },
    ]),
  ).toEqual({
    operands: [['x'], ['x', 'y']],
    products: [],
  });
});

test('every cell is the product of its factors, at no more than its depth', () => {
  const cell = fc.record({
    factors: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 8 }),
    primes: fc.constantFrom(3, 4),
  });
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 12 }), (cells) => {
      const { operands, products } = buildTrees(cells);
      const known = new Map<string, { factors: string[]; depth: number; primes: number }>();
      const value = (name: string) => known.get(name) ?? { factors: [name], depth: 0, primes: Infinity };
      for (const { id, left, right, primes } of products) {
        const [a, b] = [value(left), value(right)];
        // Rescaling takes one prime from both operands.
        expect(Math.min(a.primes, b.primes)).toBeGreaterThan(primes);
        known.set(id, {
          factors: [...a.factors, ...b.factors],
          depth: Math.max(a.depth, b.depth) + 1,
          primes,
        });
      }
      cells.forEach(({ factors, primes }, i) => {
        const parts = (operands[i] ?? []).map(value);
        expect(parts.flatMap((part) => part.factors).sort()).toEqual([...factors].sort());
        expect(parts.length).toBe(Math.min(2, factors.length));
        const depth = Math.max(...parts.map((part) => part.depth)) + (parts.length > 1 ? 1 : 0);
        expect(depth).toBe(depthOf(factors.length));
        for (const part of parts) expect(part.primes).toBeGreaterThanOrEqual(primes);
      });
    }),
  );
});
