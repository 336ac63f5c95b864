/**
 * Parameters.
 *
 * CKKS computes on polynomials of degree N modulo a product of primes. A ciphertext holds N/2 numbers, its slots;
 * additions and multiplications work on all of them at once. Three things have to be in balance:
 *
 * - N and the total of the primes' bits decide the security: the more bits, the larger N must be.
 * - The scale: a number x is kept as the integer nearest to scale * x. More bits of scale, more precision.
 * - The depth: a product has the square of the scale. Dividing it back (rescaling) costs one prime, so the number of
 *   primes bounds how many multiplications can follow each other.
 *
 * Nobody types primes here. There are a few named sets, each checked and frozen, and each has an identifier: a hash
 * over all of its content. Keys, ciphertexts and shares carry it, so that nothing of two sets is ever mixed.
 *
 * Run: node examples/fhe/1_parameters.ts (after `npm run build`)
 */
import assert from 'node:assert/strict';
import { FheError, parameterSet, parameterSetById, requireSecure } from '@strokeshare/fhe';

for (const name of ['additive', 'standard', 'deep', 'toy']) {
  const set = parameterSet(name);
  const bits = set.primes.reduce((sum, prime) => sum + prime.toString(2).length, 0);
  console.log(
    `${name}: N = ${set.polyModulusDegree}, ${set.slots} slots, ${set.primes.length} primes of together ${bits} bits,`,
    `scale 2^${set.scaleBits}, ${set.depth} multiplications in a row,`,
    `${set.standardSecurityBits} bits of security by the standard's table of 2018,`,
    `id ${set.id.slice(0, 12)}...`,
  );
}

// `additive` is half as large as `standard`, and cannot multiply. `standard` is what most questions need: a mean in
// a group is a sum of products of two columns, a variance in a group one of three.
const standard = parameterSet('standard');
assert.equal(parameterSetById(standard.id), standard);
assert.ok(Object.isFrozen(standard));

// The last prime is special: it serves only the switching of keys. The others are the data primes; a fresh
// ciphertext has all of them.
assert.equal(standard.dataPrimes, standard.primes.length - 1);

// `toy` is small enough for quick tests and has no security at all. Whatever handles real data refuses it.
try {
  requireSecure(parameterSet('toy'));
  assert.fail('the toy set must be refused');
} catch (error) {
  assert.ok(error instanceof FheError && error.code === 'PARAMETER_SET_TEST_ONLY');
  console.log(`refused: ${error.message}`);
}
