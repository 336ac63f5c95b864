import fc from 'fast-check';
import { FheError, type FheErrorCode } from '../errors.js';
import { parameterSet } from '../params/parameterSet.js';
import { generateLocalKeys, type LocalKeys } from '../seal/localKeys.js';
import { SealContext } from '../seal/context.js';
import {
  buildCiphertext,
  buildPlaintext,
  buildPublicKey,
  buildRelinKeys,
  parseCiphertext,
  parsePlaintext,
  parsePublicKey,
  parseRelinKeys,
} from './seal.js';

const set = parameterSet('toy');
let keys: LocalKeys;
let ciphertext: Uint8Array;
let product: Uint8Array;
let plaintext: Uint8Array;

beforeAll(async () => {
  keys = await generateLocalKeys(set);
  const context = await SealContext.for(set);
  using publicKey = context.loadPublicKey(keys.publicKey);
  using encryptor = context.encryptor(publicKey);
  using encoded = context.encode(Float64Array.of(1, 2, 3));
  using encrypted = encryptor.encrypt(encoded);
  using squared = context.evaluator.square(encrypted);
  context.evaluator.modSwitchInPlace(squared, 3);
  plaintext = encoded.save();
  ciphertext = encrypted.save();
  product = squared.save();
});

interface Kind {
  name: string;
  code: FheErrorCode;
  bytes: () => Uint8Array;
  /** Bytes before the words. */
  header: number;
  /** First byte of the scale, free within bounds where there is one. */
  scale?: number;
  rebuild: (bytes: Uint8Array) => Uint8Array;
}

const kinds: Kind[] = [
  {
    name: 'ciphertext',
    code: 'CIPHERTEXT_MALFORMED',
    bytes: () => ciphertext,
    header: 113,
    scale: 73,
    rebuild: (bytes) => buildCiphertext(set, parseCiphertext(bytes, set)),
  },
  {
    name: 'ciphertext of three polynomials at a lower level',
    code: 'CIPHERTEXT_MALFORMED',
    bytes: () => product,
    header: 113,
    scale: 73,
    rebuild: (bytes) => buildCiphertext(set, parseCiphertext(bytes, set)),
  },
  {
    name: 'plaintext',
    code: 'PLAINTEXT_MALFORMED',
    bytes: () => plaintext,
    header: 88,
    scale: 56,
    rebuild: (bytes) => buildPlaintext(set, parsePlaintext(bytes, set)),
  },
  {
    name: 'public key',
    code: 'PUBLIC_KEY_MALFORMED',
    bytes: () => keys.publicKey,
    header: 113,
    rebuild: (bytes) => buildPublicKey(set, parsePublicKey(bytes, set).words),
  },
  {
    name: 'relinearisation key',
    code: 'RELIN_KEYS_MALFORMED',
    bytes: () => keys.relinKeys,
    header: 64 + 113,
    rebuild: (bytes) => buildRelinKeys(set, parseRelinKeys(bytes, set).keys),
  },
];

/** The error's code, or undefined where the bytes were accepted. */
function refusal(kind: Kind, bytes: Uint8Array): string | undefined {
  try {
    kind.rebuild(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof FheError) return error.code;
    throw error;
  }
}

describe.each(kinds)('SEAL bytes of a $name', (kind) => {
  it('are rebuilt byte for byte from what was parsed', () => {
    expect(Buffer.compare(kind.rebuild(kind.bytes()), kind.bytes())).toBe(0);
  });

  it('are refused with any bit of any header field flipped', () => {
    const accepted: string[] = [];
    for (let at = 0; at < kind.header; at++) {
      if (kind.scale !== undefined && at >= kind.scale && at < kind.scale + 8) continue;
      for (let bit = 0; bit < 8; bit++) {
        const bytes = kind.bytes().slice();
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        if (refusal(kind, bytes) !== kind.code) accepted.push(`${at}.${bit}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  it('are refused when a word is its prime or above, wherever it stands', () => {
    const bytes = kind.bytes();
    for (const at of [kind.header, kind.header + 8 * 1000, bytes.length - 8]) {
      const changed = bytes.slice();
      new DataView(changed.buffer).setBigUint64(at, set.primes[4] as bigint, true);
      expect(refusal(kind, changed)).toBe(kind.code);
    }
  });

  it('are refused truncated, extended or empty', () => {
    const bytes = kind.bytes();
    for (const changed of [
      bytes.subarray(0, -8),
      bytes.subarray(0, -1),
      bytes.subarray(0, kind.header),
      bytes.subarray(0, 15),
      new Uint8Array(),
      Uint8Array.of(...bytes.subarray(0, 200)),
      new Uint8Array([...bytes, 0]),
    ]) {
      expect(refusal(kind, changed)).toBe(kind.code);
    }
  });

  it('are refused or canonical after random changes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(kind.header + 64), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = kind.bytes().slice();
          for (const [at, value] of changes) bytes[at] = value;
          const refused = refusal(kind, bytes);
          const canonical = refused === undefined && Buffer.compare(kind.rebuild(bytes), bytes) === 0;
          expect(canonical || refused === kind.code).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('scales and transparent ciphertexts', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 0.5, 2 ** 240])('refuses scale %d', (scale) => {
    const changed = ciphertext.slice();
    new DataView(changed.buffer).setFloat64(73, scale, true);
    expect(() => parseCiphertext(changed, set)).toThrow(
      expect.objectContaining({ code: 'CIPHERTEXT_MALFORMED' }),
    );
  });

  it('refuses a ciphertext that encrypts nothing', () => {
    const parsed = parseCiphertext(ciphertext, set);
    parsed.words.fill(0n, parsed.words.length / 2);
    expect(() => parseCiphertext(buildCiphertext(set, parsed), set)).toThrow(/transparent/);
  });

  it('refuses bytes of another parameter set', () => {
    expect(() => parseCiphertext(ciphertext, parameterSet('standard'))).toThrow(
      expect.objectContaining({ code: 'CIPHERTEXT_MALFORMED' }),
    );
  });
});
