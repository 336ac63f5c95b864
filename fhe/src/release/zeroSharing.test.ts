import { limit, uniformScore } from '../../test/chiSquare.js';
import { parameterSet } from '../params/parameterSet.js';
import { sha256 } from '../bytes/canonical.js';
import { pairKey, zeroShare } from './zeroSharing.js';

const set = parameterSet('toy');
const moduli = set.primes.slice(0, 2);
const context = { parameterSetId: set.id, epochId: 'e', shareVersion: 0 };
const salt = (from: number, to: number): Uint8Array => sha256(`salt ${from} ${to}`);

/** The keys of every holder, each made by its own end. */
const keys = [1, 2, 3, 4, 5].map((index) =>
  [1, 2, 3, 4, 5].map((other) =>
    other === index
      ? new Uint8Array(32)
      : pairKey(context, { index, salt: salt(index, other) }, { index: other, salt: salt(other, index) }),
  ),
);
const share = (index: number, committee: number[], request: unknown = 'r'): bigint[] =>
  zeroShare(keys[index - 1] ?? [], index, committee, request, moduli);

describe('zeroShare', () => {
  it.each([[[3]], [[1, 2]], [[2, 4, 5]], [[1, 2, 3, 4, 5]]])(
    'adds up to zero over committee %s',
    (committee) => {
      for (const [limb, prime] of moduli.entries()) {
        const sum = committee.reduce((total, index) => total + (share(index, committee)[limb] as bigint), 0n);
        expect(sum % prime).toBe(0n);
      }
    },
  );

  it('depends on request and committee, and is the same when asked again', () => {
    const seen = [share(1, [1, 2]), share(1, [1, 2, 3]), share(1, [1, 3]), share(1, [1, 2], 'other')];
    expect(new Set(seen.map(String)).size).toBe(4);
    expect(share(1, [1, 2])).toEqual(seen[0]);
    expect(share(3, [3])).toEqual([0n, 0n]);
  });

  it('is uniform (chi-square)', () => {
    const words = Array.from({ length: 3200 }, (_, i) => share(1, [1, 2, 3], i)[0] as bigint);
    expect(Math.abs(uniformScore(words, moduli[0] as bigint, 16))).toBeLessThan(limit);
  });

  it('needs a key in common with every other member', () => {
    expect(() => zeroShare([], 1, [1, 2], 'r', moduli)).toThrow(
      expect.objectContaining({ code: 'COMMITTEE_INVALID' }),
    );
  });
});
