/** Records that are made up, and what a cell must be for them. */
import { type PatientRecord } from '@strokeshare/fhe';

/** `size` patients, the same for the same seed; every eleventh has no pressure. */
export function cohort(size: number, seed: number): PatientRecord[] {
  return Array.from({ length: size }, (_, i) => {
    const k = (i * 7919 + seed * 104_729) % 10_007;
    return {
      AGE: 16 + (k % 84),
      RSBP: i % 11 === 0 ? null : 70 + (k % 226),
      STYPE: ['LACS', 'PACS', 'TACS'][k % 3] ?? 'LACS',
      DEAD: k % 5 === 0,
      ATRIAL: k % 7 === 0,
      TD: k % 15,
    };
  });
}
