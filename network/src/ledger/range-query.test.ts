import { kvRead, RangeSummarizer } from './range-query.js';

function summary(count: number, changed = -1): ReturnType<RangeSummarizer['done']> {
  const summarizer = new RangeSummarizer();
  for (let index = 0; index < count; index++) {
    summarizer.add(kvRead(`key${index}`, { block: index === changed ? 99 : 1, tx: index }));
  }
  return summarizer.done();
}

describe('summaries of range queries', () => {
  it('keeps up to fifty reads as they are', () => {
    expect(summary(50).reads).toHaveLength(50);
    expect(summary(0).reads).toEqual([]);
    expect(summary(51).reads).toBeUndefined();
  });

  it.each([
    [51, 1, 1],
    [102, 1, 2],
    [2550, 1, 50],
    [2601, 2, 1],
    [5202, 2, 2],
  ])('sums %i reads up in a tree of level %i with %i hashes', (count, level, hashes) => {
    const { merkle } = summary(count);
    expect(merkle?.getMaxLevel()).toBe(level);
    expect(merkle?.getMaxLevelHashesList()).toHaveLength(hashes);
  });

  it('changes with any read', () => {
    const bytes = (result: ReturnType<typeof summary>): string =>
      Buffer.from(result.merkle!.serializeBinary()).toString('hex');
    expect(bytes(summary(300))).toBe(bytes(summary(300)));
    expect(bytes(summary(300))).not.toBe(bytes(summary(300, 7)));
    expect(bytes(summary(300))).not.toBe(bytes(summary(301)));
  });
});
