import { BlockCutter } from './block-cutter.js';

const message = (size: number): { size: number } => ({ size });
const sizes = (batches: { size: number }[][]): number[][] =>
  batches.map((batch) => batch.map(({ size }) => size));

describe('the block cutter', () => {
  let cutter: BlockCutter<{ size: number }>;

  beforeEach(() => {
    cutter = new BlockCutter({ maxMessageCount: 3, preferredMaxBytes: 100 });
  });

  it('cuts when the count is reached', () => {
    expect(cutter.add(message(1))).toEqual([]);
    expect(cutter.add(message(2))).toEqual([]);
    expect(sizes(cutter.add(message(3)))).toEqual([[1, 2, 3]]);
    expect(cutter.pending).toBe(false);
  });

  it('cuts before a message that would pass the preferred size', () => {
    cutter.add(message(60));
    expect(sizes(cutter.add(message(41)))).toEqual([[60]]);
    expect(cutter.pending).toBe(true);
    expect(sizes([cutter.cut()])).toEqual([[41]]);
    expect(cutter.add(message(100))).toEqual([]);
  });

  it('isolates a message above the preferred size, after what was waiting', () => {
    cutter.add(message(5));
    expect(sizes(cutter.add(message(101)))).toEqual([[5], [101]]);
    expect(sizes(cutter.add(message(1000)))).toEqual([[1000]]);
    expect(cutter.pending).toBe(false);
  });
});
