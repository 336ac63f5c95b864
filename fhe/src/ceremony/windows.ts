/**
 * The committees of the dealing check: every window of t consecutive holders. Two neighbouring windows share t - 1
 * points; if both give the same value at 0, they lie on one polynomial, and so do all n points.
 */
import type { Roster } from './message.js';

/** Windows {w, ..., w + t - 1}, ascending. */
export function windows({ members, threshold }: Pick<Roster, 'members' | 'threshold'>): number[][] {
  return Array.from({ length: members.length - threshold + 1 }, (_, w) =>
    Array.from({ length: threshold }, (__, i) => w + i + 1),
  );
}

/** The windows that a holder belongs to. */
export function windowsOf(roster: Pick<Roster, 'members' | 'threshold'>, index: number): number[][] {
  return windows(roster).filter((window) => window.includes(index));
}

/** Bytes of a check message: for each dealer and each of the sender's windows, one word for each data prime. */
export function dealingCheckPayloadLength(
  { set, members, threshold }: Pick<Roster, 'set' | 'members' | 'threshold'>,
  index: number,
): number {
  return members.length * windowsOf({ members, threshold }, index).length * 8 * set.dataPrimes;
}

/** Bytes of a disclosure: a sealing private key. */
export const disclosurePayloadLength = 32;
