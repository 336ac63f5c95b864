import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers that a seed decides. */
export interface RandomStream {
  /** In [0, 1). */
  uniform(): number;
  /** Exponential with this mean. */
  exponential(mean: number): number;
}

export function randomStream(seed: number): RandomStream {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => uniformFloat64(generator);
  return { uniform, exponential: (mean) => -mean * Math.log1p(-uniform()) };
}
