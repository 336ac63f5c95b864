import { closestMatch } from 'leven';

/** The candidate that was probably meant; undefined where none is near enough to be a slip of the finger. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const maxDistance = Math.max(2, Math.floor(name.length / 3));
  const byFolded = new Map(candidates.map((candidate) => [candidate.toLowerCase(), candidate]));
  const found = closestMatch(name.toLowerCase(), [...byFolded.keys()], { maxDistance });
  return found === undefined ? undefined : byFolded.get(found);
}

/** `; did you mean "basic"?`, or the end of the sentence where nothing is near. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const found = nearest(name, candidates);
  return found === undefined ? '.' : `; did you mean "${found}"?`;
}
