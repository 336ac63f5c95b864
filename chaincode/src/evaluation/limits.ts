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

/**
 * What an evaluation of some cells takes of one institution's batches.
 * @param running whether it goes on from running sums
 */
export function evaluationLoad(
  plan: AnalysisPlan,
  cells: readonly string[],
  batches: number,
  set: ParameterSet,
  running = false,
): { bytes: number; units: number } {
  const work = workOf(plan, cells);
  const cost = costOf(work, set, batches, 1);
  const relinearizes = cost.relinearizations > 0;
  const sums = running ? work.cells.map(({ primes, operands }) => primes * (operands.length + 1)) : [];
  const polynomials = sums.reduce((sum, count) => sum + count, 0);
  return {
    bytes:
      cost.bytesIn +
      (relinearizes ? relinKeysBytes(set) : 0) +
      polynomials * 8 * set.polyModulusDegree +
      sums.length * 400,
    units: cost.units + Math.ceil((polynomials * set.polyModulusDegree) / 16384),
  };
}

/** One transaction of an evaluation: some cells over the batches from one on and before another. */
export interface EvaluationPart {
  readonly cells: readonly string[];
  readonly from: number;
  readonly until: number;
}

/** No stretch has more batches: sixteen megabytes hold fewer, even of the smallest ciphertexts. */
const LONGEST_STRETCH = 64;

/**
 * Cuts an evaluation into transactions that each fit: cells into groups, and for cells that are too much over all
 * batches, these into stretches, in the way that takes the fewest transactions.
 */
export function evaluationParts(
  plan: AnalysisPlan,
  cells: readonly string[],
  batches: number,
  set: ParameterSet,
): EvaluationPart[] {
  const whole = (some: readonly string[]) => evaluationLoad(plan, some, batches, set);
  const groups = chunksThatFit(cells, whole);
  const parts = (group: readonly string[], length: number): EvaluationPart[] =>
    Array.from({ length: Math.ceil(batches / length) }, (_, i) => ({
      cells: group,
      from: i * length,
      until: Math.min(batches, (i + 1) * length),
    }));
  const large = groups.filter((group) => !fits(whole(group))).flat();
  let best: EvaluationPart[] | undefined;
  for (let length = 1; length < Math.min(batches, LONGEST_STRETCH) && large.length > 0; length++) {
    const load = (some: readonly string[]) => evaluationLoad(plan, some, length, set, true);
    const cut = chunksThatFit(large, load);
    if (!cut.every((group) => fits(load(group)))) break;
    const made = cut.flatMap((group) => parts(group, length));
    if (!best || made.length < best.length) best = made;
  }
  return [
    ...groups.filter((group) => fits(whole(group))).flatMap((group) => parts(group, batches)),
    ...(best ?? large.flatMap((cell) => parts([cell], batches))),
  ];
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

/** A cell that alone is too much for one batch of some institution, or for the sum of all, if there is one. */
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
      batches.size > MAXIMUM_INSTITUTIONS ||
      !fits(evaluationLoad(plan, [id], 1, set, most > 1)) ||
      !fits(added)
    );
  })?.id;
}

/** Bytes of a relinearisation key's blob, headers included: one public key at all primes for each data prime. */
const relinKeysBytes = (set: ParameterSet): number =>
  set.dataPrimes * 2 * 8 * set.polyModulusDegree * set.primes.length + 4096;
