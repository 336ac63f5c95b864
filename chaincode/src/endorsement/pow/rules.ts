/** Proof of work: parameters, timestamps by the median rule, and the target's bounded adjustment. */
import { z } from 'zod';
import { count, positive } from '../../api/primitives.js';
import { compactTarget, compactText, expandTarget, formatCompact, parseCompact } from './target.js';

/** A timestamp must be above the median of so many before it. */
export const MEDIAN_OF = 11;
/** One adjustment makes the work at most so many times harder or easier. */
export const MAXIMUM_STEP = 4n;

export const powParameters = z
  .strictObject({
    /** The time that a block takes on average, once the target has settled. */
    intervalMs: positive.max(86_400_000),
    /** The target is adjusted after every so many blocks. */
    windowBlocks: positive.min(4).max(2016),
    /** The target of the first block. */
    target: compactText,
    /** No target is above it: less work than this is none. */
    easiestTarget: compactText,
    /** No target is below it: more work than this would stop the chain for good. */
    hardestTarget: compactText,
    /** How far a timestamp may be ahead of its transaction's time. */
    futureMs: positive.max(7_200_000),
  })
  .refine(({ target, easiestTarget, hardestTarget }) => {
    const [low, first, high] = [hardestTarget, target, easiestTarget].map((text) => targetFrom(text));
    return low !== undefined && first !== undefined && high !== undefined && low <= first && first <= high;
  }, 'the first target must lie between the hardest and the easiest');
export type PowParameters = z.infer<typeof powParameters>;

export const powState = z.strictObject({
  /** What the next block must reach. */
  target: compactText,
  /** The last {@link MEDIAN_OF} timestamps, the genesis' included. */
  times: z.array(count).min(1).max(MEDIAN_OF),
  /** Timestamp of the last block of the window before. */
  windowStart: count,
});
export type PowState = z.infer<typeof powState>;

const targetFrom = (text: string): bigint | undefined => expandTarget(parseCompact(text));

/** The target that a compact text stands for. */
export function targetValue(text: string): bigint {
  const target = targetFrom(text);
  if (target === undefined) throw new RangeError(`${text} is no canonical compact target.`);
  return target;
}

export function medianTime(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/**
 * The target after a window. The window's time is divided by one interval less than it has blocks: with that, the
 * next block takes the set interval on average (the inverse of a sum of n exponential times has the mean
 * 1 / ((n - 1) theta)).
 */
export function retarget(before: string, spanMs: number, parameters: PowParameters): string {
  const { intervalMs, windowBlocks, easiestTarget, hardestTarget } = parameters;
  const old = targetValue(before);
  const wanted = (old * BigInt(Math.max(1, spanMs))) / BigInt((windowBlocks - 1) * intervalMs);
  const stepped = clamp(wanted, old / MAXIMUM_STEP, old * MAXIMUM_STEP);
  return formatCompact(compactTarget(clamp(stepped, targetValue(hardestTarget), targetValue(easiestTarget))));
}

const clamp = (value: bigint, low: bigint, high: bigint): bigint =>
  value < low ? low : value > high ? high : value;

/** The state after a block. */
export function advance(
  state: PowState,
  height: number,
  timestamp: number,
  parameters: PowParameters,
): PowState {
  const times = [...state.times, timestamp].slice(-MEDIAN_OF);
  if (height % parameters.windowBlocks !== 0) return { ...state, times };
  return {
    target: retarget(state.target, timestamp - state.windowStart, parameters),
    times,
    windowStart: timestamp,
  };
}
