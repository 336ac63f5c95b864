import {
  cellValue,
  type ColumnBatch,
  combineShares,
  decodeBlob,
  type EvaluatorPool,
  parseAnalysisQuery,
  plan,
  type ParameterSet,
  type PlanCell,
  releaseShare,
  sumOfC0,
} from '@strokeshare/fhe';
import { type EpochKeys } from './keys.js';
import { schema } from './table.js';

/** The cells of both jobs, in the order of the plain sums: x, y, xx, yy and xy. The number of patients is public. */
const CELLS = ['AGE', 'RSBP', 'AGE*AGE', 'RSBP*RSBP', 'AGE*RSBP'];

const query = parseAnalysisQuery({
  version: 1,
  statistics: [{ id: 'r', kind: 'correlation', variables: ['AGE', 'RSBP'] }],
});

/** A question to one collective key: encrypted batches to released sums. */
export class Job {
  readonly #pool: EvaluatorPool;
  readonly #keys: EpochKeys;
  readonly #set: ParameterSet;

  constructor(pool: EvaluatorPool, keys: EpochKeys) {
    this.#pool = pool;
    this.#keys = keys;
    this.#set = pool.set;
  }

  encrypt(batches: readonly ColumnBatch[]): AsyncGenerator<Map<string, Uint8Array>> {
    return this.#pool.encryptBatches(
      this.#keys.epochId,
      batches.map(({ columns }) => new Map([...columns].filter(([name]) => name !== '_row'))),
    );
  }

  /** Evaluates and releases every cell, all holders' work included. */
  async run(
    batches: Iterable<Map<string, Uint8Array>> | AsyncIterable<Map<string, Uint8Array>>,
    count: number,
    cells: readonly string[] = CELLS,
  ): Promise<number[]> {
    const { epochId, holders, threshold } = this.#keys;
    const made = plan(query, [schema], this.#set, {
      holders: holders.length,
      threshold,
      institutions: 1,
      batches: count,
    });
    const partials = await this.#pool.evaluate({ plan: made, cells, epochId, batches });
    return cells.map((id) => {
      const cell = made.cells.find((candidate) => candidate.id === id);
      const blob = partials.get(id);
      if (!cell || !blob) throw new Error(`There is no cell ${id}.`);
      return this.release(cell, blob);
    });
  }

  /** The first t holders' shares of one cell, and what the receiver computes from them. */
  release(cell: PlanCell, blob: Uint8Array): number {
    const set = this.#set;
    const { epochId, holders, threshold } = this.#keys;
    const ciphertext = decodeBlob(blob, { kind: 'ciphertext', parameterSetId: set.id, epochId });
    const chosen = holders.slice(0, threshold);
    const committee = chosen.map(({ index }) => index);
    const shares = new Map(
      chosen.map((holder) => [
        holder.index,
        releaseShare(holder, { ciphertext, committee, sigma: BigInt(cell.sigma) }),
      ]),
    );
    const residue = combineShares(set, { c0: sumOfC0(ciphertext, set), shares });
    const scale = { numerator: BigInt(cell.scale.numerator), denominator: BigInt(cell.scale.denominator) };
    return cellValue(residue, scale, set.slots);
  }
}
