/**
 * The strict parser of SEAL's bytes: SEAL itself accepts a flipped bit, so bytes from elsewhere pass here first.
 */
import { FheError, type FheErrorCode } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { Fields } from './fields.js';
import {
  type CiphertextForm,
  ciphertextWords,
  headerLength,
  parmsId,
  type ParsedCiphertext,
  type ParsedPlaintext,
  type ParsedPublicKey,
  type ParsedRelinKeys,
  plaintextWords,
  publicKeyLength,
  relinKeysParts,
} from './sealFormat.js';
import { polynomialsBelow, wordsOf } from './words.js';

function dataLevels(set: ParameterSet): Uint8Array[] {
  return Array.from({ length: set.dataPrimes }, (_, i) => parmsId(set, i + 1));
}

function requireScale(fields: Fields, scale: number, primes: number): number {
  // SEAL's own bound: the scale's bits stay below the modulus's.
  if (!(scale >= 1) || Math.log2(scale) >= 60 * primes) throw fields.fail('the scale is out of bounds');
  return scale;
}

/** Words at `offset`, aligned, every one below its prime. */
function requireWords(fields: Fields, bytes: Uint8Array, count: number, set: ParameterSet, primes: number) {
  const words = wordsOf(bytes.subarray(fields.offset, fields.offset + 8 * count));
  if (!polynomialsBelow(words, set.polyModulusDegree, set.primes.slice(0, primes))) {
    throw fields.fail('a word is not below its prime');
  }
  fields.offset += 8 * count;
  return words;
}

/** What may stand before the words of a ciphertext. */
interface Allowed {
  readonly levels: readonly { primes: number; id: Uint8Array }[];
  readonly sizes: readonly number[];
}

/** Reads all fields before the words, and checks that as many words follow as they say. */
function formOf(
  fields: Fields,
  body: Uint8Array,
  set: ParameterSet,
  { levels, sizes }: Allowed,
): CiphertextForm & { count: number } {
  fields.header(body.length);
  const level = levels[fields.parmsId(levels.map(({ id }) => id))];
  const primes = level?.primes ?? 0;
  if (fields.byte() !== 1) throw fields.fail('they are not in NTT form');
  const size = Number(fields.u64());
  if (!sizes.includes(size)) throw fields.fail('the number of polynomials differs');
  fields.exactly(set.polyModulusDegree, 'ring degree');
  fields.exactly(primes, 'number of primes');
  const scale = requireScale(fields, fields.f64(), primes);
  fields.exactly(1, 'correction factor');
  const count = size * primes * set.polyModulusDegree;
  if (body.length !== ciphertextWords + 8 * count) throw fields.fail('the length differs');
  fields.header(8 * count + 8 + headerLength);
  fields.exactly(count, 'number of words');
  return { size: size as 2 | 3, primes, scale, count };
}

function ciphertextLike(
  body: Uint8Array,
  set: ParameterSet,
  code: FheErrorCode,
  allowed: Allowed,
): ParsedCiphertext {
  const fields = new Fields(body, code);
  const { count, ...form } = formOf(fields, body, set, allowed);
  return { ...form, words: requireWords(fields, body, count, set, form.primes) };
}

const atDataLevels = (set: ParameterSet): Allowed => ({
  levels: dataLevels(set).map((id, i) => ({ primes: i + 1, id })),
  sizes: [2, 3],
});

/**
 * What a ciphertext's bytes say of themselves, for whoever hands them on. The words are not looked at: whatever
 * computes with them parses them with {@link parseCiphertext}.
 *
 * @throws FheError CIPHERTEXT_MALFORMED
 */
export function readCiphertextForm(body: Uint8Array, set: ParameterSet): CiphertextForm {
  const { count: _, ...form } = formOf(
    new Fields(body, 'CIPHERTEXT_MALFORMED'),
    body,
    set,
    atDataLevels(set),
  );
  return form;
}

/**
 * Parses a ciphertext of 2 or 3 polynomials at a data level. A transparent one (all polynomials past the first are
 * zero) is refused: it encrypts nothing.
 *
 * @throws FheError CIPHERTEXT_MALFORMED
 */
export function parseCiphertext(body: Uint8Array, set: ParameterSet): ParsedCiphertext {
  const parsed = ciphertextLike(body, set, 'CIPHERTEXT_MALFORMED', atDataLevels(set));
  requireOpaque(parsed);
  return parsed;
}

/** @throws FheError CIPHERTEXT_MALFORMED where all polynomials past the first are zero */
export function requireOpaque({ size, words }: Pick<ParsedCiphertext, 'size' | 'words'>): void {
  if (!words.subarray(words.length / size).some((word) => word !== 0n))
    throw new FheError('CIPHERTEXT_MALFORMED', 'The ciphertext is transparent: it encrypts nothing.');
}

/**
 * Parses a public key, at key level.
 *
 * @throws FheError PUBLIC_KEY_MALFORMED
 */
export function parsePublicKey(body: Uint8Array, set: ParameterSet): ParsedPublicKey {
  return { words: publicKeyWords(body, set, 'PUBLIC_KEY_MALFORMED') };
}

function publicKeyWords(body: Uint8Array, set: ParameterSet, code: FheErrorCode): BigUint64Array {
  const primes = set.primes.length;
  const levels = [{ primes, id: parmsId(set, primes) }];
  const parsed = ciphertextLike(body, set, code, { levels, sizes: [2] });
  if (parsed.scale !== 1) throw new FheError(code, 'SEAL bytes refused: a key has scale 1.');
  return parsed.words;
}

/**
 * Parses a relinearisation key for size-3 ciphertexts.
 *
 * @throws FheError RELIN_KEYS_MALFORMED
 */
export function parseRelinKeys(body: Uint8Array, set: ParameterSet): ParsedRelinKeys {
  const fields = new Fields(body, 'RELIN_KEYS_MALFORMED');
  fields.header(body.length);
  fields.parmsId([parmsId(set, set.primes.length)]);
  fields.exactly(1, 'number of keys');
  fields.exactly(set.dataPrimes, 'number of key parts');
  const part = publicKeyLength(set);
  if (body.length !== relinKeysParts + set.dataPrimes * part) throw fields.fail('the length differs');
  const keys = Array.from({ length: set.dataPrimes }, (_, j) =>
    publicKeyWords(
      body.subarray(relinKeysParts + j * part, relinKeysParts + (j + 1) * part),
      set,
      'RELIN_KEYS_MALFORMED',
    ),
  );
  return { keys };
}

/**
 * Parses an encoded plaintext at a data level.
 *
 * @throws FheError PLAINTEXT_MALFORMED
 */
export function parsePlaintext(body: Uint8Array, set: ParameterSet): ParsedPlaintext {
  const fields = new Fields(body, 'PLAINTEXT_MALFORMED');
  fields.header(body.length);
  const primes = fields.parmsId(dataLevels(set)) + 1;
  const count = primes * set.polyModulusDegree;
  fields.exactly(count, 'number of words');
  const scale = requireScale(fields, fields.f64(), primes);
  if (body.length !== plaintextWords + 8 * count) throw fields.fail('the length differs');
  fields.header(8 * count + 8 + headerLength);
  fields.exactly(count, 'number of words');
  return { primes, scale, words: requireWords(fields, body, count, set, primes) };
}
