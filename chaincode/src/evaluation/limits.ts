/**
 * What one transaction may carry and cost, for contracts that enforce it and clients that cut their work by it.
 * Contracts have no clock: work is counted by the fixed table of the arithmetic's package.
 */
import { ciphertextBytes, costOf, type ParameterSet, type AnalysisPlan, workOf } from '@strokeshare/fhe';

/** Transient data of one transaction, all values together. */
export const MAXIMUM_TRANSIENT_BYTES = 16 * 1024 * 1024;
/** Work of one transaction: about five seconds of one core of the reference machine. */
export const MAXIMUM_UNITS = 5000;
/** Inputs of one sum. */
export const MAXIMUM_INPUTS = 16;
/** Institutions whose partials are added in groups of so many, and then the groups' sums. */
export const MAXIMUM_INSTITUTIONS = MAXIMUM_INPUTS ** 2;

/** Groups that institutions are added in, in their order; one where all fit one sum. */
export function groupsOf<T>(institutions: readonly T[]): T[][] {
  if (institutions.length <= MAXIMUM_INPUTS) return [[...institutions]];
  return Array.from({ length: Math.ceil(institutions.length / MAXIMUM_INPUTS) }, (_, group) =>
    institutions.slice(group * MAXIMUM_INPUTS, (group + 1) * MAXIMUM_INPUTS),
  );
}

/** Thousandths of a unit for reading, checking and adding one prime of one ciphertext of degree 16384. */
const ADD_THOUSANDTHS = 700;

/** What an evaluation of some cells takes of one institution's batches. */
export function evaluationLoad(
  plan: AnalysisPlan,
  cells: readonly string[],
  batches: number,
  set: ParameterSet,
): { bytes: number; units: number } {
  const cost = costOf(workOf(plan, cells), set, batches, 1);
  const relinearizes = cost.relinearizations > 0;
  return { bytes: cost.bytesIn + (relinearizes ? relinKeysBytes(set) : 0), units: cost.units };
}

/** What adding so many partials (or groups' sums) of some cells takes. */
export function aggregationLoad(
  plan: { cells: readonly { id: string; primes: number }[] },
  cells: readonly string[],
  inputs: number,
  set: ParameterSet,
): { bytes: number; units: number } {
  const primes = plan.cells.filter(({ id }) => cells.includes(id)).map((cell) => cell.primes);
  const bytes = primes.reduce(
    (sum, count) => sum + inputs * ciphertextBytes(set.polyModulusDegree, count),
    0,
  );
  const thousandths = primes.reduce((sum, count) => sum + inputs * count * ADD_THOUSANDTHS, 0);
  return { bytes, units: Math.ceil((thousandths * set.polyModulusDegree) / (16384 * 1000)) };
}

export const fits = (load: { bytes: number; units: number }): boolean =>
  load.bytes <= MAXIMUM_TRANSIENT_BYTES && load.units <= MAXIMUM_UNITS;

/**
 * Cuts cells, in the order given, into groups that each fit one transaction.
 * @param load what a group takes
 */
export function chunksThatFit(
  cells: readonly string[],
  load: (cells: readonly string[]) => { bytes: number; units: number },
): string[][] {
  const chunks: string[][] = [];
  for (const cell of cells) {
    const last = chunks.at(-1);
    if (last && fits(load([...last, cell]))) last.push(cell);
    else chunks.push([cell]);
  }
  return chunks;
}

/** A cell that alone is too much for some institution's batches, if there is one. */
export function oversizedCell(
  plan: AnalysisPlan,
  datasets: readonly { owner: string; batches: readonly unknown[] }[],
  set: ParameterSet,
): string | undefined {
  const batches = new Map<string, number>();
  for (const { owner, batches: own } of datasets) batches.set(owner, (batches.get(owner) ?? 0) + own.length);
  const most = Math.max(...batches.values());
  return plan.cells.find(({ id, primes }) => {
    const inputs = Math.min(batches.size, MAXIMUM_INPUTS);
    const added = aggregationLoad({ cells: [{ id, primes }] }, [id], inputs, set);
    return (
      batches.size > MAXIMUM_INSTITUTIONS || !fits(evaluationLoad(plan, [id], most, set)) || !fits(added)
    );
  })?.id;
}

/** Bytes of a relinearisation key's blob, headers included: one public key at all primes for each data prime. */
const relinKeysBytes = (set: ParameterSet): number =>
  set.dataPrimes * 2 * 8 * set.polyModulusDegree * set.primes.length + 4096;
