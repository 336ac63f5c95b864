/**
 * Arithmetic modulo 60-bit primes on arrays of 64-bit words in linear memory (AssemblyScript).
 *
 * Every function runs the same instructions and touches the same addresses whatever the values are: no branch, no
 * table and no division depends on a word. Reduction is Barrett's, for primes q with 2^59 < q < 2^60 and the factor
 * mu = floor(2^123 / q), which fits 64 bits.
 *
 * For x < 2^120 let t = floor(x / 2^59) < 2^61 and e = floor(t mu / 2^64). The flooring of t loses less than
 * 2^59 / q < 1 of x / q, that of mu less than t / 2^64 < 1/8, the last one less than 1: 0 <= x/q - e < 2.125.
 * So 0 <= x - e q < 3 q < 2^62, and two masked subtractions finish.
 */

function high(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  const carry = a0 * b1 + (middle & 0xffffffff);
  return a1 * b1 + (middle >> 32) + (carry >> 32);
}

/** r - q if r >= q, else r, by a mask; for r < 2^63. */
function reduceOnce(r: u64, q: u64): u64 {
  const d = r - q;
  return d + (q & (((<i64>d) >> 63) as u64));
}

/** a b mod q, for a, b < q. */
function product(a: u64, b: u64, q: u64, mu: u64): u64 {
  const low = a * b;
  const t = (high(a, b) << 5) | (low >> 59);
  const r = low - high(t, mu) * q;
  return reduceOnce(reduceOnce(r, q << 1), q);
}

/** a b mod q for single words. */
export function multiplyWords(a: u64, b: u64, q: u64, mu: u64): u64 {
  return product(a, b, q, mu);
}

/** out = a + b */
export function add(out: usize, a: usize, b: usize, count: usize, q: u64): void {
  const end = count << 3;
  for (let i: usize = 0; i < end; i += 8)
    store<u64>(out + i, reduceOnce(load<u64>(a + i) + load<u64>(b + i), q));
}

/** out = a - b */
export function subtract(out: usize, a: usize, b: usize, count: usize, q: u64): void {
  const end = count << 3;
  for (let i: usize = 0; i < end; i += 8) {
    store<u64>(out + i, reduceOnce(load<u64>(a + i) + (q - load<u64>(b + i)), q));
  }
}

/** out = -a */
export function negate(out: usize, a: usize, count: usize, q: u64): void {
  const end = count << 3;
  for (let i: usize = 0; i < end; i += 8) store<u64>(out + i, reduceOnce(q - load<u64>(a + i), q));
}

/** out = a b, point by point */
export function multiply(out: usize, a: usize, b: usize, count: usize, q: u64, mu: u64): void {
  const end = count << 3;
  for (let i: usize = 0; i < end; i += 8)
    store<u64>(out + i, product(load<u64>(a + i), load<u64>(b + i), q, mu));
}

/** out += a b, point by point */
export function multiplyAdd(out: usize, a: usize, b: usize, count: usize, q: u64, mu: u64): void {
  const end = count << 3;
  for (let i: usize = 0; i < end; i += 8) {
    const p = product(load<u64>(a + i), load<u64>(b + i), q, mu);
    store<u64>(out + i, reduceOnce(load<u64>(out + i) + p, q));
  }
}

/** out += a s */
export function scaleAdd(out: usize, a: usize, s: u64, count: usize, q: u64, mu: u64): void {
  const end = count << 3;
  for (let i: usize = 0; i < end; i += 8) {
    store<u64>(out + i, reduceOnce(load<u64>(out + i) + product(load<u64>(a + i), s, q, mu), q));
  }
}

/** out = out x + c: one step of Horner's rule */
export function horner(out: usize, x: u64, c: usize, count: usize, q: u64, mu: u64): void {
  const end = count << 3;
  for (let i: usize = 0; i < end; i += 8) {
    store<u64>(out + i, reduceOnce(product(load<u64>(out + i), x, q, mu) + load<u64>(c + i), q));
  }
}

/** sum of a b over all points */
export function dot(a: usize, b: usize, count: usize, q: u64, mu: u64): u64 {
  const end = count << 3;
  let sum: u64 = 0;
  for (let i: usize = 0; i < end; i += 8) {
    sum = reduceOnce(sum + product(load<u64>(a + i), load<u64>(b + i), q, mu), q);
  }
  return sum;
}
