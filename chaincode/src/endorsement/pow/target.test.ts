import fc from 'fast-check';
import { compactTarget, compactText, expandTarget, expectedHashes, targetOf } from './target.js';

test('the compact form is Bitcoin’s nBits', () => {
  // Bitcoin's genesis block and the example of its developer reference.
  expect(expandTarget(0x1d00ffff)).toBe(0xffffn << 208n);
  expect(expandTarget(0x1b0404cb)).toBe(0x0404cbn << 192n);
  expect(compactTarget(0x0404cbn << 192n)).toBe(0x1b0404cb);
});

test('only the canonical encoding of a positive 256-bit target is one', () => {
  for (const compact of [0, 0x1d800001, 0x1e0000ff, 0x21ffffff, 0x03000000, 0xffffffff])
    expect(expandTarget(compact)).toBeUndefined();
  expect(compactText.safeParse('1D00FFFF').success).toBe(false);
});

test('compacting never raises a target, loses less than 2^-15 of it, and is stable', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, (1n << 256n) - 1n), (target) => {
      const compact = compactTarget(target);
      const back = expandTarget(compact)!;
      expect(back <= target && (target - back) * 32768n <= target).toBe(true);
      expect(compactTarget(back)).toBe(compact);
    }),
    { seed: 11 },
  );
});

test('a target for so many hashes takes so many', () => {
  for (const hashes of [2, 1000, 1e6, 1e12])
    expect(expectedHashes(expandTarget(targetOf(hashes))!) / hashes).toBeCloseTo(1, 3);
});
