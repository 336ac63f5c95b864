/**
 * Small public polynomials in SEAL's NTT form. Secrets never come here: they are made in that form by SEAL itself.
 *
 * The value at position i is the polynomial at psi^(2 r(i) + 1), r(i) the bit reversal of i and psi the smallest
 * primitive 2N-th root of unity modulo the prime, as in SEAL 4.1 (native/src/seal/util/ntt.cpp). Decimation in time,
 * after Harvey, "Faster arithmetic for number-theoretic transforms", J. Symbolic Computation 2014.
 */
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { modulo, powerModulo } from '../release/rational.js';

const roots = new Map<string, readonly bigint[]>();

/** The smallest primitive root of unity of an order that is a power of two and divides prime - 1. */
export function smallestRoot(prime: bigint, order: number): bigint {
  const exponent = (prime - 1n) / BigInt(order);
  let root = 0n;
  for (let base = 2n; root === 0n; base++) {
    const candidate = powerModulo(base, exponent, prime);
    if (powerModulo(candidate, BigInt(order / 2), prime) === prime - 1n) root = candidate;
  }
  const square = (root * root) % prime;
  let smallest = root;
  for (let i = 1, power = root; i < order / 2; i++) {
    power = (power * square) % prime;
    if (power < smallest) smallest = power;
  }
  return smallest;
}

/** Powers of psi in bit-reversed order. */
function rootPowers(prime: bigint, degree: number): readonly bigint[] {
  const name = `${degree} ${prime}`;
  const known = roots.get(name);
  if (known) return known;
  const bits = Math.log2(degree);
  const psi = smallestRoot(prime, 2 * degree);
  const powers = new Array<bigint>(degree);
  for (let i = 0, power = 1n; i < degree; i++) {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) reversed = (reversed << 1) | ((i >> bit) & 1);
    powers[reversed] = power;
    power = (power * psi) % prime;
  }
  roots.set(name, powers);
  return powers;
}

/**
 * The NTT form of a polynomial with small integer coefficients.
 *
 * @param coefficients N of them
 * @returns words over the first `limbs` primes
 */
export function transformSmall(set: ParameterSet, coefficients: Int32Array, limbs: number): BigUint64Array {
  const degree = set.polyModulusDegree;
  if (coefficients.length !== degree) {
    throw new FheError('ARGUMENT_INVALID', `A polynomial has ${degree} coefficients.`);
  }
  const words = new BigUint64Array(limbs * degree);
  for (const [limb, prime] of set.primes.slice(0, limbs).entries()) {
    const powers = rootPowers(prime, degree);
    const values = Array.from(coefficients, (value) => modulo(BigInt(value), prime));
    for (let groups = 1, span = degree / 2; groups < degree; groups *= 2, span /= 2) {
      for (let group = 0; group < groups; group++) {
        const power = powers[groups + group] as bigint;
        const start = 2 * group * span;
        for (let i = start; i < start + span; i++) {
          const u = values[i] as bigint;
          const v = ((values[i + span] as bigint) * power) % prime;
          values[i] = u + v < prime ? u + v : u + v - prime;
          values[i + span] = u < v ? u - v + prime : u - v;
        }
      }
    }
    words.set(values, limb * degree);
  }
  return words;
}
