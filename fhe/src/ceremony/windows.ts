/**
 * The committees of the dealing check. For each dealer the holders stand in a ring that begins behind the dealer and
 * ends with it; a committee is a window of t neighbours. Two neighbouring windows share t - 1 points: if both give the
 * same value at 0 they lie on one polynomial, and so do all n points.
 *
 * The dealer is in the last window alone. So it cannot cover for its dealing by what it says as a holder: the windows
 * before bind the shares of all others.
 */
import type { Roster } from './message.js';

type Size = Pick<Roster, 'members' | 'threshold'>;

/**
 * The windows for one dealer, each ascending.
 *
 * @param dealer index, 1 to n
 */
export function windows({ members, threshold }: Size, dealer: number): number[][] {
  const n = members.length;
  const ring = Array.from({ length: n }, (_, i) => ((dealer + i) % n) + 1);
  return Array.from({ length: n - threshold + 1 }, (_, w) =>
    ring.slice(w, w + threshold).sort((a, b) => a - b),
  );
}

/** The windows for one dealer that a holder belongs to. */
export function windowsOf(size: Size, dealer: number, index: number): number[][] {
  return windows(size, dealer).filter((window) => window.includes(index));
}

/** Bytes of a check message: for each dealer and each of the sender's windows, one word for each data prime. */
export function dealingCheckPayloadLength(
  { set, members, threshold }: Pick<Roster, 'set' | 'members' | 'threshold'>,
  index: number,
): number {
  const shares = members.reduce(
    (count, _, i) => count + windowsOf({ members, threshold }, i + 1, index).length,
    0,
  );
  return shares * 8 * set.dataPrimes;
}

/** Bytes of a disclosure: a sealing private key. */
export const disclosurePayloadLength = 32;
