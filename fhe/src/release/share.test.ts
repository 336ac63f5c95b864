import { epochId, release, runCeremony, sum } from '../../test/ceremonyFixture.js';
import { decodeBlob } from '../bytes/blob.js';
import { buildCiphertext, buildPlaintext, parseCiphertext, parsePlaintext } from '../bytes/seal.js';
import { parameterSet } from '../params/parameterSet.js';
import { SealContext, type SealEncryptor } from '../seal/context.js';
import { cellValue, combineShares, roundedCount } from './combine.js';
import { HolderKey } from './holderKey.js';
import { releaseShare, sumOfC0 } from './share.js';

const set = parameterSet('toy');
let keys: HolderKey[];
let context: SealContext;
let encryptor: SealEncryptor;

beforeAll(async () => {
  const ceremony = await runCeremony(set, 4, 2);
  keys = ceremony.keys;
  context = await SealContext.for(set);
  using publicKey = context.loadPublicKey(
    decodeBlob(ceremony.publicKey, { kind: 'publicKey', parameterSetId: set.id, epochId }),
  );
  encryptor = context.encryptor(publicKey);
});

function encrypted(values: Float64Array, primes = 2): Uint8Array {
  using plaintext = context.encode(values, 2 ** set.scaleBits, primes);
  using ciphertext = encryptor.encrypt(plaintext);
  return ciphertext.save();
}

const sigma = 1n << 40n;
const column = Float64Array.from({ length: set.slots }, (_, i) => Math.sin(i));
const key = (index: number): HolderKey => keys[index - 1] as HolderKey;

describe('releaseShare', () => {
  it('gives the same bytes for the same request, and other noise for another committee, level or coefficient', () => {
    const ciphertext = encrypted(column);
    const request = { ciphertext, committee: [1, 2], sigma };
    const share = releaseShare(key(1), request);
    expect(releaseShare(key(1), request)).toEqual(share);
    const noise = (committee: number[], coefficient: 0 | 'half' = 0, body = ciphertext): number =>
      release(committee.map(key), body, sigma, 0, coefficient);
    const exact = release([key(1), key(2)], encrypted(column), 1n, 0);
    expect(new Set([noise([1, 2]), noise([1, 3]), noise([2, 3]), noise([1, 2], 'half'), exact]).size).toBe(5);
  });

  it('depends on c1 alone: another c0 has the same share', () => {
    const ciphertext = encrypted(column);
    const parsed = parseCiphertext(ciphertext, set);
    parsed.words[0] = ((parsed.words[0] as bigint) + 1n) % (set.primes[0] as bigint);
    const other = buildCiphertext(set, parsed);
    const ask = (body: Uint8Array): Uint8Array =>
      releaseShare(key(2), { ciphertext: body, committee: [2, 4], sigma });
    expect(ask(other)).toEqual(ask(ciphertext));
  });

  it('is refused a second deviation for one coefficient', () => {
    const ciphertext = encrypted(column);
    releaseShare(key(1), { ciphertext, committee: [1, 2], sigma });
    expect(() => releaseShare(key(1), { ciphertext, committee: [1, 2], sigma: sigma + 1n })).toThrow(
      expect.objectContaining({ code: 'RELEASE_REFUSED' }),
    );
  });

  it('is refused for committees that are none of this holder and epoch', () => {
    const ciphertext = encrypted(column);
    for (const committee of [[1], [2, 1], [1, 1], [2, 3], [1, 5], [0, 1], [1, 2, 3], [1, 1.5], []]) {
      expect(() => releaseShare(key(1), { ciphertext, committee, sigma })).toThrow(
        expect.objectContaining({ code: 'COMMITTEE_INVALID' }),
      );
    }
  });

  it('is refused for size 3, for bytes that are no ciphertext, and for deviations out of bounds', () => {
    using a = context.loadCiphertext(encrypted(column, 4));
    using product = context.evaluator.square(a);
    const committee = [1, 2];
    const refused = (body: Uint8Array, deviation: bigint): unknown => {
      try {
        return releaseShare(key(1), { ciphertext: body, committee, sigma: deviation });
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(refused(product.save(), sigma)).toBe('RELEASE_REFUSED');
    expect(refused(new Uint8Array(200), sigma)).toBe('CIPHERTEXT_MALFORMED');
    expect(refused(encrypted(column), 0n)).toBe('RELEASE_REFUSED');
    expect(refused(encrypted(column), 1n << 111n)).toBe('RELEASE_REFUSED');
  });

  it('has noise of the deviation that was asked for', () => {
    const count = 300;
    const deviation = 1n << 50n;
    let square = 0;
    for (let i = 0; i < count; i++) {
      const error =
        release([key(1), key(2)], encrypted(new Float64Array(set.slots)), deviation, 0) / set.slots;
      square += (error / Number(deviation)) ** 2;
    }
    // Two holders, each the whole deviation: variance 2; 300 samples spread by 8 percent.
    expect(Math.abs(square / count / 2 - 1)).toBeLessThan(0.5);
  });
});

describe('coefficient N/2', () => {
  const y = Float64Array.from({ length: set.slots }, (_, i) => Math.cos(i) / 2);

  /** x + X^(N/2) y, point by point. */
  function packed(x: Float64Array): Uint8Array {
    using plainX = context.encode(x, 2 ** set.scaleBits, 2);
    using plainY = context.encode(y, 2 ** set.scaleBits, 2);
    const [a, b] = [parsePlaintext(plainX.save(), set), parsePlaintext(plainY.save(), set)];
    const degree = set.polyModulusDegree;
    for (let i = 0; i < a.words.length; i++) {
      const limb = Math.floor(i / degree);
      const prime = set.primes[limb] as bigint;
      const unit = set.imaginaryUnits[limb] as bigint;
      const turned = (b.words[i] as bigint) * (i % degree < degree / 2 ? unit : prime - unit);
      a.words[i] = ((a.words[i] as bigint) + turned) % prime;
    }
    return buildPlaintext(set, a);
  }

  it('holds the second column of a packed pair, and the constant one the first', () => {
    using plaintext = context.loadPlaintext(packed(column));
    using ciphertext = encryptor.encrypt(plaintext);
    const body = ciphertext.save();
    const pair = [key(2), key(3)];
    expect(release(pair, body, 1n << 30n, set.scaleBits)).toBeCloseTo(sum(column), 5);
    expect(release(pair, body, 1n << 30n, set.scaleBits, 'half')).toBeCloseTo(sum(y), 5);
  });

  it('decodes to zero where the first column is zero', () => {
    using plaintext = context.loadPlaintext(packed(new Float64Array(set.slots)));
    expect(Math.max(...context.decode(plaintext).map(Math.abs))).toBeLessThan(1e-9);
  });
});

describe('combineShares', () => {
  it('refuses shares of another length or with words above their primes, and names the holder', () => {
    const ciphertext = encrypted(column);
    const c0 = sumOfC0(ciphertext, set);
    const good = releaseShare(key(1), { ciphertext, committee: [1, 2], sigma });
    const wrong = new Uint8Array(16).fill(255);
    expect(() =>
      combineShares(set, {
        c0,
        shares: new Map([
          [1, good],
          [2, wrong],
        ]),
      }),
    ).toThrow(/holder 2/);
    expect(() => combineShares(set, { c0, shares: new Map([[1, good.subarray(8)]]) })).toThrow(/holder 1/);
    expect(() => combineShares(set, { c0, shares: new Map() })).toThrow(/no share/);
    expect(() => combineShares(set, { c0: wrong, shares: new Map([[1, good]]) })).toThrow(/sum of c0/);
    expect(() => combineShares(set, { c0: new Uint8Array(3), shares: new Map([[1, good]]) })).toThrow(
      /8 bytes/,
    );
  });
});

describe('counts and values', () => {
  const scale = { numerator: 3n << 69n, denominator: 1n };

  it('round exactly, halves upwards', () => {
    const half = { numerator: 2n, denominator: 1n };
    expect([-3n, -2n, -1n, 0n, 1n, 2n, 3n].map((residue) => roundedCount(residue, half, 1))).toEqual([
      -1n,
      -1n,
      0n,
      0n,
      1n,
      1n,
      2n,
    ]);
    expect(roundedCount(scale.numerator * 5n, scale, 8)).toBe(40n);
    expect(roundedCount(1n, { numerator: 1n, denominator: 3n }, 2)).toBe(6n);
  });

  it('are the nearest doubles', () => {
    expect(cellValue(scale.numerator, scale, 512)).toBe(512);
    expect(cellValue(-scale.numerator / 3n, scale, 1)).toBe(-1 / 3);
    expect(cellValue(1n, scale, 1)).toBe(1 / (3 * 2 ** 69));
    expect(cellValue(0n, scale, 512)).toBe(0);
  });

  it('refuse a scale of zero', () => {
    expect(() => cellValue(1n, { numerator: 0n, denominator: 1n }, 1)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    );
  });
});

describe('HolderKey', () => {
  it('comes back from its bytes with the same shares', () => {
    const ciphertext = encrypted(column);
    const request = { ciphertext, committee: [3, 4], sigma };
    // As read from a file: a Buffer, whose memory is the caller's to overwrite.
    const bytes = Buffer.from(key(3).export());
    using copy = HolderKey.import(bytes);
    bytes.fill(0);
    expect(copy).toMatchObject({ epochId, index: 3, threshold: 2, members: 4, shareVersion: 0 });
    expect(releaseShare(copy, request)).toEqual(releaseShare(key(3), request));
  });

  it('refuses changed bytes, and work once disposed of', () => {
    const bytes = key(3).export();
    for (const at of [0, 4, 5, 20, 60, 130, 500, bytes.length - 1]) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => HolderKey.import(changed)).toThrow(
        expect.objectContaining({ code: 'HOLDER_KEY_MALFORMED' }),
      );
    }
    expect(() => HolderKey.import(bytes.subarray(0, 100))).toThrow(/no holder key/);
    const gone = HolderKey.import(bytes);
    gone[Symbol.dispose]();
    expect(() => gone.export()).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    expect(() => releaseShare(gone, { ciphertext: encrypted(column), committee: [3, 4], sigma })).toThrow(
      expect.objectContaining({ code: 'DISPOSED' }),
    );
  });
});
