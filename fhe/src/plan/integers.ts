/** Exact arithmetic on large integers, always rounded up: a bound must not become smaller by rounding. */

/** a / b rounded up, for a >= 0 and b > 0. */
export function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

/** The smallest integer whose square is at least `n`, by Newton's iteration. */
export function ceilSqrt(n: bigint): bigint {
  if (n < 0n) throw new RangeError('no square root of a negative number');
  if (n === 0n) return 0n;
  let root = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) break;
    root = next;
  }
  return root * root < n ? root + 1n : root;
}

/** numerator / denominator to six significant digits, rounded up, as `d.ddddde±x`. */
export function scientific(numerator: bigint, denominator: bigint): string {
  if (numerator === 0n) return '0';
  let exponent = numerator.toString().length - denominator.toString().length;
  if (below(numerator, denominator, exponent)) exponent -= 1;
  const [up, down] = shifted(numerator, denominator, 5 - exponent);
  let digits = ceilDiv(up, down).toString();
  // 999999.5 rounds up to seven digits.
  if (digits.length > 6) {
    digits = digits.slice(0, 6);
    exponent += 1;
  }
  return `${digits[0]}.${digits.slice(1)}e${exponent}`;
}

/** Whether the fraction is below ten to the power. */
function below(numerator: bigint, denominator: bigint, power: number): boolean {
  const [up, down] = shifted(numerator, denominator, -power);
  return up < down;
}

/** The fraction times ten to the power, as a fraction. */
function shifted(numerator: bigint, denominator: bigint, power: number): [bigint, bigint] {
  return power >= 0
    ? [numerator * 10n ** BigInt(power), denominator]
    : [numerator, denominator * 10n ** BigInt(-power)];
}
