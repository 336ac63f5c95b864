/** Which holders release: the smallest committee that is there, and who among more than t gave a wrong share. */
import { FheError } from '../errors.js';
import type { ParameterSet } from '../params/parameterSet.js';
import { combineShares } from './combine.js';

/**
 * A committee of exactly t of the holders that can be reached: those of the lowest indexes.
 *
 * @throws FheError COMMITTEE_INVALID where fewer than t are left
 */
export function chooseCommittee(
  available: Iterable<number>,
  { threshold, members }: { readonly threshold: number; readonly members: number },
): number[] {
  const holders = [...new Set(available)]
    .filter((index) => Number.isInteger(index) && index >= 1 && index <= members)
    .sort((a, b) => a - b);
  if (holders.length < threshold) {
    throw new FheError(
      'COMMITTEE_INVALID',
      `${holders.length} holders are left, and ${threshold} are needed.`,
    );
  }
  return holders.slice(0, threshold);
}

/** Every committee of t among some holders, each ascending. */
export function committeesAmong(holders: readonly number[], threshold: number): number[][] {
  if (threshold === 0) return [[]];
  return holders.flatMap((first, i) =>
    committeesAmong(holders.slice(i + 1), threshold - 1).map((rest) => [first, ...rest]),
  );
}

export interface SuspectRelease {
  /** From {@link sumOfC0}. */
  readonly c0: Uint8Array;
  /** For every committee among the holders that took part, the shares that were made for it. */
  readonly releases: readonly ReadonlyMap<number, Uint8Array>[];
  /** Whether a residue can be: counts and values have known ranges. */
  readonly isPlausible: (residue: bigint) => boolean;
  /** Plausible residues of two honest committees differ by no more: 16 sigma sqrt(t) is never passed. */
  readonly tolerance: bigint;
}

export interface Inspection {
  /** Holders in no committee whose result stands; empty where nobody can be named. */
  readonly inconsistent: number[];
  /** A result that stands, if there is one. */
  readonly residue?: bigint;
}

/**
 * Finds the holders of wrong shares, after an implausible result: t + 1 holders or more release by every t-subset,
 * each charged to its committee. With m holders, up to m - t liars are found. A lie small enough to be plausible is
 * not.
 *
 * @throws FheError SHARE_MALFORMED
 */
export function inspectShares(set: ParameterSet, suspect: SuspectRelease): Inspection {
  const { c0, releases, isPlausible, tolerance } = suspect;
  const standing = releases
    .map((shares) => ({ shares, residue: combineShares(set, { c0, shares }) }))
    .filter(({ residue }) => isPlausible(residue));
  const [first] = standing;
  if (!first) return { inconsistent: [] };
  const agree = standing.every(({ residue }) => {
    const difference = residue - first.residue;
    return (difference < 0n ? -difference : difference) <= tolerance;
  });
  if (!agree) return { inconsistent: [] };
  const consistent = new Set(standing.flatMap(({ shares }) => [...shares.keys()]));
  const all = new Set(releases.flatMap((shares) => [...shares.keys()]));
  const inconsistent = [...all].filter((index) => !consistent.has(index)).sort((a, b) => a - b);
  return { inconsistent, residue: first.residue };
}
