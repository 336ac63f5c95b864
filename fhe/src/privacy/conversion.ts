/**
 * What a budget rho of zero-concentrated differential privacy means as (epsilon, delta).
 *
 * Sources: Bun, Steinke, TCC 2016-B, proposition 1.3: epsilon = rho + 2 sqrt(rho ln(1/delta)). Tighter: Canonne,
 * Kamath, Steinke, NeurIPS 2020 (arXiv:2004.00010v3, proposition 12): delta is the least over alpha > 1 of
 * exp((alpha - 1)(alpha rho - epsilon)) / (alpha - 1) * (1 - 1/alpha)^alpha.
 */
import { FheError } from '../errors.js';

function requireDelta(rho: number, delta: number): void {
  if (!(rho > 0) || !Number.isFinite(rho) || !(delta > 0) || !(delta < 1)) {
    throw new FheError('ARGUMENT_INVALID', 'rho is positive, and delta lies between 0 and 1.');
  }
}

/** Epsilon by Bun and Steinke's simple formula, an upper bound. */
export function simpleEpsilon(rho: number, delta: number): number {
  requireDelta(rho, delta);
  return rho + 2 * Math.sqrt(rho * Math.log(1 / delta));
}

/** Epsilon by the tighter conversion; never above {@link simpleEpsilon}. */
export function epsilonOf(rho: number, delta: number): number {
  requireDelta(rho, delta);
  // The bound holds for every alpha, so a minimum that is found only nearly is still a bound.
  const bound = (x: number): number => {
    const less = Math.exp(x);
    const alpha = 1 + less;
    return alpha * rho + (Math.log(1 / delta) - Math.log(alpha)) / less + x - Math.log(alpha);
  };
  // alpha of the simple formula is near the best one.
  const guess = Math.log(Math.sqrt(Math.log(1 / delta) / rho));
  let [low, high] = [guess - 5, guess + 5];
  for (let i = 0; i < 200; i++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (bound(a) <= bound(b)) high = b;
    else low = a;
  }
  return Math.max(0, Math.min(bound((low + high) / 2), simpleEpsilon(rho, delta)));
}

/** The largest rho whose {@link epsilonOf} stays within epsilon at delta, to twelve digits, rounded down. */
export function rhoOf(epsilon: number, delta: number): number {
  if (!(epsilon > 0)) throw new FheError('ARGUMENT_INVALID', 'epsilon is positive.');
  let [low, high] = [0, 1];
  while (epsilonOf(high, delta) < epsilon) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (epsilonOf(middle, delta) <= epsilon) low = middle;
    else high = middle;
  }
  return low;
}
