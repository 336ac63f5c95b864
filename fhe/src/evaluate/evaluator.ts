/** Encryption and evaluation in a worker thread of its own, on public data only. */
import { FheError } from '../errors.js';
import { type PackedColumn } from '../columns/layout.js';
import { type ParameterSet } from '../params/index.js';
import { type AnalysisPlan } from '../plan/types.js';
import { encryption, runPart, workFor } from './requests.js';
import { WorkerThread } from './workerThread.js';

export interface TaskOptions {
  /** Ends the task with CANCELLED, at once if it waits, else after the operation under way. */
  signal?: AbortSignal;
}

/** Options of a task on blobs. */
export interface BlobOptions extends TaskOptions {
  /** Gives the blobs' memory to the worker instead of a copy: they are empty afterwards, whatever becomes of the task. */
  giveAway?: boolean;
}

/** The ciphertext blobs of one batch, by column name. Columns that the cells do not need are ignored. */
export type BatchBlobs = ReadonlyMap<string, Uint8Array>;

export interface EvaluationRequest {
  plan: AnalysisPlan;
  /** Ids of the plan's cells that are wanted. */
  cells: readonly string[];
  epochId: string;
  /** In any order: the result's bytes do not depend on it. Read one by one, so they need not all be in memory. */
  batches: Iterable<BatchBlobs> | AsyncIterable<BatchBlobs>;
}

/** Some of the batches, behind those of parts before. */
export interface PartRequest extends EvaluationRequest {
  /** By cell, what the part before gave; absent for the first. */
  running?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Whether these are the last batches. */
  last: boolean;
}

/**
 * One worker thread with its own SEAL instance and context, which takes about two seconds to make: keep it. Tasks of
 * all callers wait in one queue; an error ends only the task that it belongs to.
 *
 * Every blob is parsed strictly, word by word, and checked against parameter set and epoch before SEAL sees it.
 * Evaluation is deterministic: the same blobs give the same bytes on every machine. Encryption is not, by design.
 *
 * @example
 * await using evaluator = await Evaluator.create(parameterSet('standard'));
 * await evaluator.loadRelinKeys(epochId, relinKeys);
 * const partials = await evaluator.evaluate({ plan, cells: ['_row'], epochId, batches });
 */
export class Evaluator implements AsyncDisposable {
  readonly set: ParameterSet;
  readonly #thread: WorkerThread;

  private constructor(set: ParameterSet, thread: WorkerThread) {
    this.set = set;
    this.#thread = thread;
  }

  /** @throws FheError WORKER_FAILED, RUNTIME_UNSUPPORTED. */
  static async create(set: ParameterSet): Promise<Evaluator> {
    return new Evaluator(set, await WorkerThread.start(set.id));
  }

  /**
   * Loads an epoch's collective public key, which encryption needs. Keys of the latest two epochs are kept.
   * @throws FheError PUBLIC_KEY_MALFORMED, BLOB_MALFORMED, EPOCH_MISMATCH, PARAMETER_SET_MISMATCH.
   */
  async loadPublicKey(epochId: string, blob: Uint8Array, options?: TaskOptions): Promise<void> {
    await this.#thread.run((call) => call({ kind: 'publicKey', epochId, blob }), options);
  }

  /**
   * Loads an epoch's collective relinearisation key, which products need. Keys of the latest two epochs are kept.
   * @throws FheError RELIN_KEYS_MALFORMED, BLOB_MALFORMED, EPOCH_MISMATCH, PARAMETER_SET_MISMATCH.
   */
  async loadRelinKeys(epochId: string, blob: Uint8Array, options?: TaskOptions): Promise<void> {
    await this.#thread.run((call) => call({ kind: 'relinKeys', epochId, blob }), options);
  }

  /**
   * Encrypts packed columns under the epoch's public key, at the set's scale and all its data primes, or as a layout
   * says.
   * @param columns each `slots` values in [-1, 1], or what `layOut` made
   * @returns one ciphertext blob for each column, in order
   * @throws FheError KEY_MISSING, ARGUMENT_INVALID, CANCELLED.
   */
  async encryptColumns(
    epochId: string,
    columns: readonly (Float64Array | PackedColumn)[],
    options?: TaskOptions,
  ): Promise<Uint8Array[]> {
    return this.#thread.run(async (call) => {
      const blobs: Uint8Array[] = [];
      for (const column of columns) blobs.push(...(await call(encryption(epochId, column))));
      return blobs;
    }, options);
  }

  /**
   * Evaluates cells over the batches of one institution.
   * @returns a partial result for each cell: a ciphertext blob of size 2 at the cell's release level
   * @throws FheError KEY_MISSING, ARGUMENT_INVALID (a batch lacks a column), CIPHERTEXT_MALFORMED, BLOB_MALFORMED,
   * EPOCH_MISMATCH, PARAMETER_SET_MISMATCH, CANCELLED.
   */
  async evaluate(request: EvaluationRequest, options?: BlobOptions): Promise<Map<string, Uint8Array>> {
    return this.evaluatePart({ ...request, last: true }, options);
  }

  /**
   * Evaluates cells batch by batch in several parts. A running sum has three polynomials where the last product is not
   * relinearised yet; however the batches are cut, the last part gives the bytes that {@link evaluate} gives at once.
   * @returns running sums, and of the last part the partial results
   * @throws FheError as `evaluate`; CIPHERTEXT_MALFORMED for a running sum of another cell or plan
   */
  async evaluatePart(request: PartRequest, options?: BlobOptions): Promise<Map<string, Uint8Array>> {
    const work = workFor(this.set, request.plan, request.cells);
    return this.#thread.run((call) => runPart(call, work, request, options?.giveAway), options);
  }

  /**
   * Adds partial results of one cell, all of size 2 and at the same level and scale.
   * @throws FheError ARGUMENT_INVALID, CIPHERTEXT_MALFORMED, BLOB_MALFORMED, EPOCH_MISMATCH, PARAMETER_SET_MISMATCH.
   */
  async add(epochId: string, blobs: readonly Uint8Array[], options?: BlobOptions): Promise<Uint8Array> {
    const [sum] = await this.#thread.run(
      (call) => call({ kind: 'add', epochId, blobs: [...blobs] }, options?.giveAway ? blobs : []),
      options,
    );
    if (!sum) throw new FheError('WORKER_FAILED', 'The worker gave no sum.');
    return sum;
  }

  /** Ends the thread; tasks that wait or run end with DISPOSED. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}
