/**
 * Sums of products of ciphertexts modulo 60-bit primes, for public data (AssemblyScript).
 *
 * A product of (a0, a1) and (b0, b1) has the three polynomials a0 b0, a0 b1 + a1 b0 and a1 b1. Per point, three sums
 * are kept as 128-bit integers and reduced late: a0 b0, (a0 + a1)(b0 + b1) and a1 b1, the first and last below 2^120
 * and the middle one below 2^122 for each product. So 63 products fit before `settle` must reduce the sums.
 *
 * A sum of 128 bits is two words, low then high; reduction is Barrett's as in kernel.ts.
 */

// @ts-ignore: decorator
@inline
function high(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  const carry = a0 * b1 + (middle & 0xffffffff);
  return a1 * b1 + (middle >> 32) + (carry >> 32);
}

// @ts-ignore: decorator
@inline
function reduceOnce(r: u64, q: u64): u64 {
  const d = r - q;
  return d + (q & ((<i64>d >> 63) as u64));
}

// @ts-ignore: decorator
@inline
function product(a: u64, b: u64, q: u64, mu: u64): u64 {
  const low = a * b;
  const t = (high(a, b) << 5) | (low >> 59);
  const r = low - high(t, mu) * q;
  return reduceOnce(reduceOnce(r, q << 1), q);
}

/** A word modulo q, for 2^59 < q < 2^60; the first steps compare, since their differences may pass 2^63. */
// @ts-ignore: decorator
@inline
function reduceWord(a: u64, q: u64): u64 {
  const r = a >= q << 4 ? a - (q << 4) : a;
  const s = r >= q << 3 ? r - (q << 3) : r;
  return reduceOnce(reduceOnce(reduceOnce(s, q << 2), q << 1), q);
}

/** (high 2^64 + low) mod q, with wrap = 2^64 mod q. */
// @ts-ignore: decorator
@inline
function reduceWide(low: u64, top: u64, wrap: u64, q: u64, mu: u64): u64 {
  return reduceOnce(product(reduceWord(top, q), wrap, q, mu) + reduceWord(low, q), q);
}

// @ts-ignore: decorator
@inline
function accumulate(sum: usize, a: u64, b: u64): void {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const bottom = a0 * b0;
  const middle = a1 * b0 + (bottom >> 32);
  const carry = a0 * b1 + (middle & 0xffffffff);
  const low = (carry << 32) | (bottom & 0xffffffff);
  const total = load<u64>(sum) + low;
  store<u64>(sum, total);
  const top = a1 * b1 + (middle >> 32) + (carry >> 32);
  store<u64>(sum, load<u64>(sum, 8) + top + (total < low ? 1 : 0), 8);
}

/**
 * Adds a product to the sums of one limb.
 * @param sums three times `count` sums of 16 bytes
 */
export function multiplyAdd(sums: usize, a0: usize, a1: usize, b0: usize, b1: usize, count: usize): void {
  const end = count << 3;
  const middle = sums + (end << 1);
  const last = middle + (end << 1);
  for (let i: usize = 0; i < end; i += 8) {
    const x = load<u64>(a0 + i);
    const y = load<u64>(a1 + i);
    const u = load<u64>(b0 + i);
    const v = load<u64>(b1 + i);
    accumulate(sums + (i << 1), x, u);
    accumulate(middle + (i << 1), x + y, u + v);
    accumulate(last + (i << 1), y, v);
  }
}

/** Reduces the three sums of one limb where they are, so that 63 more products fit. */
export function settle(sums: usize, count: usize, wrap: u64, q: u64, mu: u64): void {
  const end = sums + 3 * (count << 4);
  for (let at = sums; at < end; at += 16) {
    store<u64>(at, reduceWide(load<u64>(at), load<u64>(at, 8), wrap, q, mu));
    store<u64>(at, 0, 8);
  }
}

/** The three polynomials of settled sums of one limb: out0, out1, out2. */
export function polynomials(sums: usize, out0: usize, out1: usize, out2: usize, count: usize, q: u64): void {
  const end = count << 3;
  const middle = sums + (end << 1);
  const last = middle + (end << 1);
  for (let i: usize = 0; i < end; i += 8) {
    const first = load<u64>(sums + (i << 1));
    const third = load<u64>(last + (i << 1));
    const both = reduceOnce(first + third, q);
    store<u64>(out0 + i, first);
    store<u64>(out1 + i, reduceOnce(load<u64>(middle + (i << 1)) + (q - both), q));
    store<u64>(out2 + i, third);
  }
}

/** Adds three polynomials, as `polynomials` gives them, to settled sums; counts as one product. */
export function absorb(sums: usize, in0: usize, in1: usize, in2: usize, count: usize): void {
  const end = count << 3;
  const middle = sums + (end << 1);
  const last = middle + (end << 1);
  for (let i: usize = 0; i < end; i += 8) {
    const first = load<u64>(in0 + i);
    const third = load<u64>(in2 + i);
    addSmall(sums + (i << 1), first);
    addSmall(middle + (i << 1), first + load<u64>(in1 + i) + third);
    addSmall(last + (i << 1), third);
  }
}

// @ts-ignore: decorator
@inline
function addSmall(sum: usize, value: u64): void {
  const total = load<u64>(sum) + value;
  store<u64>(sum, total);
  store<u64>(sum, load<u64>(sum, 8) + (total < value ? 1 : 0), 8);
}

/** out += a, for words below q */
export function add(out: usize, a: usize, count: usize, q: u64): void {
  const end = count << 3;
  for (let i: usize = 0; i < end; i += 8) store<u64>(out + i, reduceOnce(load<u64>(out + i) + load<u64>(a + i), q));
}

/** out = a + b X^(N/2), for polynomials in SEAL's order: X^(N/2) is `unit` at its first half and -unit at its second. */
export function joinHalves(out: usize, a: usize, b: usize, count: usize, unit: u64, q: u64, mu: u64): void {
  const end = count << 3;
  const half = end >> 1;
  for (let i: usize = 0; i < half; i += 8) {
    store<u64>(out + i, reduceOnce(load<u64>(a + i) + product(load<u64>(b + i), unit, q, mu), q));
  }
  for (let i = half; i < end; i += 8) {
    store<u64>(out + i, reduceOnce(load<u64>(a + i) + q - product(load<u64>(b + i), unit, q, mu), q));
  }
}
