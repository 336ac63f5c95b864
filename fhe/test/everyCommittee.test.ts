/** Every n up to 8 and every t, and the largest epoch: any committee of t releases the plain sums. */
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

describe('release equals the plain sum (toy)', () => {
  const cases = indexes(8).flatMap((n) => indexes(n).map((threshold): [number, number] => [threshold, n]));
  it.each(cases)('for any %i of %i holders, after a checked dealing', async (threshold, n) => {
    await expectSums(n, threshold, committeesAmong(indexes(n), threshold));
    expect.hasAssertions();
  });

  it('for 17 of 32 holders, whichever 15 are missing', async () => {
    const epoch = { threshold: 17, members: 32 };
    const committees = [0, 1, 5, 15].map((missing) =>
      chooseCommittee(
        indexes(32).filter((index) => index <= missing || index > 15),
        epoch,
      ),
    );
    await expectSums(32, 17, committees);
    expect.hasAssertions();
  }, 600_000);
});
