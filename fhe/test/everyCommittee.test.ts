/**
 * Any committee of t releases the plain sums: every n and t up to 6, the ends and the middle of 7 and 8, and 7 of 15.
 * EVERY_COMMITTEE=all (`npm run committees`) goes through every n and t up to 8 and the largest epoch, in minutes.
 */
import { epochId, release, runCeremony, sum } from './ceremonyFixture.js';
import { decodeBlob } from '../src/bytes/blob.js';
import { parameterSet } from '../src/params/parameterSet.js';
import { chooseCommittee, committeesAmong } from '../src/release/committee.js';
import type { HolderKey } from '../src/release/holderKey.js';
import { SealContext } from '../src/seal/context.js';

const set = parameterSet('toy');
const column = (seed: number): Float64Array =>
  Float64Array.from({ length: set.slots }, (_, i) => Math.sin(seed + i * i));

async function expectSums(n: number, threshold: number, committees: number[][]): Promise<void> {
  const ceremony = await runCeremony(set, n, threshold, true);
  const context = await SealContext.for(set);
  const header = { parameterSetId: set.id, epochId };
  using publicKey = context.loadPublicKey(decodeBlob(ceremony.publicKey, { ...header, kind: 'publicKey' }));
  using relinKeys = context.loadRelinKeys(decodeBlob(ceremony.relinKeys, { ...header, kind: 'relinKeys' }));
  using encryptor = context.encryptor(publicKey);
  const [x, y] = [column(n), column(threshold + 100)];
  using plainX = context.encode(x);
  using plainY = context.encode(y);
  using a = encryptor.encrypt(plainX);
  using b = encryptor.encrypt(plainY);
  using product = context.evaluator.multiply(a, b);
  context.evaluator.relinearizeInPlace(product, relinKeys);
  context.evaluator.modSwitchInPlace(product, 3);
  context.evaluator.modSwitchInPlace(a, 2);
  const [sumCell, productCell] = [a.save(), product.save()];
  const xy = sum(x.map((value, i) => value * (y[i] ?? 0)));
  for (const committee of committees) {
    const keys = committee.map((index) => ceremony.keys[index - 1] as HolderKey);
    expect(Math.abs(release(keys, sumCell, 1n << 30n, set.scaleBits) - sum(x))).toBeLessThan(1e-4);
    expect(Math.abs(release(keys, productCell, 1n << 90n, 2 * set.scaleBits) - xy)).toBeLessThan(1e-4);
  }
  for (const key of ceremony.keys) key[Symbol.dispose]();
}

const indexes = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

const sizes =
  process.env.EVERY_COMMITTEE === 'all'
    ? { every: 8, some: [], large: [17, 32] as const }
    : {
        every: 6,
        some: [
          [4, 7],
          [1, 8],
          [5, 8],
          [8, 8],
        ] as [number, number][],
        large: [7, 15] as const,
      };

describe('release equals the plain sum (toy)', () => {
  const cases = indexes(sizes.every).flatMap((n) =>
    indexes(n).map((threshold): [number, number] => [threshold, n]),
  );
  it.each([...cases, ...sizes.some])(
    'for any %i of %i holders, after a checked dealing',
    async (threshold, n) => {
      await expectSums(n, threshold, committeesAmong(indexes(n), threshold));
      expect.hasAssertions();
    },
  );

  const [threshold, members] = sizes.large;
  it(`for ${threshold} of ${members} holders, whichever ${members - threshold} are missing`, async () => {
    const spare = members - threshold;
    const committees = [0, 1, Math.floor(spare / 3), spare].map((first) =>
      chooseCommittee(
        indexes(members).filter((index) => index <= first || index > spare),
        { threshold, members },
      ),
    );
    await expectSums(members, threshold, committees);
    expect.hasAssertions();
  }, 600_000);
});
