import { parameterSet, plan, type Query, type Schema } from '@strokeshare/fhe';
import {
  aggregationLoad,
  chunksThatFit,
  evaluationLoad,
  evaluationParts,
  fits,
  MAXIMUM_TRANSIENT_BYTES,
  oversizedCell,
} from './limits.js';

const schema: Schema = {
  name: 'stroke',
  version: '1',
  variables: [
    { name: 'RSBP', kind: 'numeric', minimum: 70, maximum: 295 },
    { name: 'RCONSC', kind: 'categorical', levels: ['F', 'D', 'U'].map((code) => ({ code, label: code })) },
  ],
};
const query: Query = {
  version: 1,
  statistics: [{ id: 'v', kind: 'variance', variable: 'RSBP', by: ['RCONSC'] }],
};
const set = parameterSet('standard');
const compiled = plan(query, [schema], set, { holders: 4, threshold: 3, institutions: 4, batches: 4 });
const cells = compiled.cells.map(({ id }) => id);

describe('what one transaction may carry', () => {
  it('fits a hospital’s variances by group in one or two evaluations', () => {
    const chunks = chunksThatFit(cells, (some) => evaluationLoad(compiled, some, 1, set));
    expect(chunks.flat()).toEqual(cells);
    expect(chunks.length).toBeLessThanOrEqual(2);
    for (const chunk of chunks) expect(fits(evaluationLoad(compiled, chunk, 1, set))).toBe(true);
  });

  it('counts the bytes that are sent', () => {
    const [count] = cells;
    const { bytes } = evaluationLoad(compiled, [count!], 1, set);
    expect(bytes).toBeGreaterThan(2 * 8 * 16384 * 4);
    expect(bytes).toBeLessThan(2 * 8 * 16384 * 4 + 1000);
    expect(aggregationLoad(compiled, [count!], 4, set).bytes).toBeLessThan(MAXIMUM_TRANSIENT_BYTES);
  });

  it('cuts what is too much for one transaction into stretches of batches, each of which fits', () => {
    const batches = 40;
    const parts = evaluationParts(compiled, cells, batches, set);
    for (const { cells: some, from, until } of parts)
      expect(fits(evaluationLoad(compiled, some, until - from, set, from > 0))).toBe(true);
    for (const cell of cells) {
      const own = parts.filter((part) => part.cells.includes(cell));
      expect(own.map(({ from }) => from)).toEqual([0, ...own.slice(0, -1).map(({ until }) => until)]);
      expect(own.at(-1)?.until).toBe(batches);
    }
    const whole = evaluationParts(compiled, cells, 1, set);
    expect(whole.every(({ from, until }) => from === 0 && until === 1)).toBe(true);
  });

  it('names a cell that is too much for one batch, and for a sum', () => {
    const four = ['A', 'B', 'C', 'D'].map((owner) => ({ owner, batches: [1] }));
    expect(oversizedCell(compiled, four, set)).toBeUndefined();
    const large = [{ owner: 'A', batches: Array.from({ length: 16 }, (_, i) => i) }, ...four.slice(1)];
    expect(oversizedCell(compiled, large, set)).toBeUndefined();
    const wide = { ...compiled, cells: compiled.cells.map((cell) => ({ ...cell, primes: 60 })) };
    expect(oversizedCell(wide, four, set)).toBeDefined();
    const some = (length: number) => Array.from({ length }, (_, i) => ({ owner: `H${i}`, batches: [1] }));
    expect(oversizedCell(compiled, some(256), set)).toBeUndefined();
    expect(oversizedCell(compiled, some(257), set)).toBeDefined();
  });
});
