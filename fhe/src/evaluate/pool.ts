/** Encryption and evaluation on all cores, each worker thread with a WebAssembly instance of its own. */
import { availableParallelism } from 'node:os';
import { type PackedColumn } from '../columns/layout.js';
import { FheError } from '../errors.js';
import { type ParameterSet } from '../params/index.js';
import { BatchSource } from './batchSource.js';
import { WorkerCrew } from './crew.js';
import { type EvaluationRequest, type PartRequest, type TaskOptions } from './evaluator.js';
import { columnsOf, encryption, runPart, workFor } from './requests.js';
import { SharedEvaluation } from './sharedEvaluation.js';
import { cancellation } from './workerThread.js';

export interface EvaluatorPoolOptions {
  /** Worker threads; as many as the machine has cores unless given. */
  workers?: number;
}

/** Columns of one batch by name: to be encrypted as they are, or as `layOut` arranged them. */
export type PlainBatch = ReadonlyMap<string, Float64Array | PackedColumn>;

const MAXIMUM_WORKERS = 256;

/**
 * The work of an `Evaluator` spread over several worker threads, with the same results: bytes do not depend on the
 * number of workers. Tasks wait in one queue. An error ends only the task that it belongs to; a worker that dies ends
 * its task with WORKER_FAILED and is replaced.
 *
 * @example
 * await using pool = await EvaluatorPool.create(parameterSet('standard'));
 * await pool.loadPublicKey(epochId, publicKey);
 * for await (const blobs of pool.encryptBatches(epochId, batches)) await store(blobs);
 */
export class EvaluatorPool implements AsyncDisposable {
  readonly set: ParameterSet;
  readonly #crew: WorkerCrew;

  private constructor(set: ParameterSet, crew: WorkerCrew) {
    this.set = set;
    this.#crew = crew;
  }

  /** @throws FheError ARGUMENT_INVALID, WORKER_FAILED, RUNTIME_UNSUPPORTED. */
  static async create(set: ParameterSet, options: EvaluatorPoolOptions = {}): Promise<EvaluatorPool> {
    const { workers = availableParallelism() } = options;
    if (!Number.isInteger(workers) || workers < 1 || workers > MAXIMUM_WORKERS)
      throw new FheError('ARGUMENT_INVALID', `A pool has 1 to ${MAXIMUM_WORKERS} workers.`);
    return new EvaluatorPool(set, await WorkerCrew.start(set.id, workers));
  }

  get workers(): number {
    return this.#crew.size;
  }

  /** As `Evaluator.loadPublicKey`, for every worker. */
  async loadPublicKey(epochId: string, blob: Uint8Array, options?: TaskOptions): Promise<void> {
    await this.#crew.loadKey({ kind: 'publicKey', epochId, blob }, options?.signal);
  }

  /** As `Evaluator.loadRelinKeys`, for every worker. */
  async loadRelinKeys(epochId: string, blob: Uint8Array, options?: TaskOptions): Promise<void> {
    await this.#crew.loadKey({ kind: 'relinKeys', epochId, blob }, options?.signal);
  }

  /**
   * Encrypts columns, several at a time.
   * @returns one ciphertext blob for each column, in order
   * @throws FheError KEY_MISSING, ARGUMENT_INVALID, CANCELLED, WORKER_FAILED.
   */
  async encryptColumns(
    epochId: string,
    columns: readonly (Float64Array | PackedColumn)[],
    options: TaskOptions = {},
  ): Promise<Uint8Array[]> {
    const blobs: Uint8Array[] = [];
    let next = 0;
    await this.#together(Math.min(this.workers, columns.length), options.signal, async (signal) => {
      for (let i = next++; i < columns.length; i = next++) {
        const request = encryption(epochId, columns[i] ?? new Float64Array());
        const [blob] = await this.#crew.with(
          (thread) => thread.run((call) => call(request), { signal }),
          signal,
        );
        blobs[i] = blob ?? new Uint8Array();
      }
    });
    return blobs;
  }

  /**
   * Encrypts batch after batch from a stream, in its order. Reads ahead only as far as the workers are kept busy: at
   * most one batch more than the one that the caller waits for, unless batches have fewer columns than there are
   * workers. Ends early, and ends the stream, when the caller does.
   * @throws FheError as `encryptColumns`, at the batch that it concerns
   */
  async *encryptBatches(
    epochId: string,
    batches: Iterable<PlainBatch> | AsyncIterable<PlainBatch>,
    options: TaskOptions = {},
  ): AsyncGenerator<Map<string, Uint8Array>, void, undefined> {
    const left = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
    const source =
      Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
    const ahead: { names: string[]; blobs: Promise<Uint8Array[]> }[] = [];
    let columnsAhead = 0;
    let ended = false;
    try {
      for (;;) {
        while (!ended && (ahead.length < 2 || columnsAhead < 2 * this.workers)) {
          const next = await unlessAborted(Promise.resolve(source.next()), signal);
          if (next.done) ended = true;
          else {
            const blobs = this.encryptColumns(epochId, [...next.value.values()], { signal });
            // Told to the caller when this batch's turn comes.
            blobs.catch(() => undefined);
            ahead.push({ names: [...next.value.keys()], blobs });
            columnsAhead += next.value.size;
          }
        }
        const first = ahead.shift();
        if (!first) return;
        columnsAhead -= first.names.length;
        const blobs = await first.blobs;
        yield new Map(first.names.map((name, i) => [name, blobs[i] ?? new Uint8Array()]));
      }
    } finally {
      left.abort();
      // Not waited for: a stream that gives nothing may not end either.
      void Promise.resolve(source.return?.()).catch(() => undefined);
    }
  }

  /**
   * As `Evaluator.evaluate`: batches go to whichever worker is free, one at a time to each.
   * @throws FheError as `Evaluator.evaluate`; WORKER_FAILED.
   */
  async evaluate(request: EvaluationRequest, options: TaskOptions = {}): Promise<Map<string, Uint8Array>> {
    const work = workFor(this.set, request.plan, request.cells);
    const evaluation = new SharedEvaluation(work, request.epochId);
    const source = new BatchSource(request.batches);
    try {
      await this.#together(this.workers, options.signal, async (signal) => {
        const read = () => unlessAborted(source.next(), signal);
        // No worker is held while the stream is waited for: it may need one itself.
        for (let next = await read(); next; next = await read()) {
          const columns = columnsOf(next.batch, work, next.number);
          await this.#crew.with(
            (thread) => thread.run((call) => evaluation.addBatch(thread, call, columns), { signal }),
            signal,
          );
        }
      });
      if (source.count === 0) throw new FheError('ARGUMENT_INVALID', 'There is no batch to evaluate.');
      return await evaluation.finish(this.#crew.alive, (thread, task) =>
        this.#crew.on(thread, () => thread.run(task, options)),
      );
    } finally {
      source.close();
      void evaluation.end();
    }
  }

  /** As `Evaluator.evaluatePart`, on one worker. */
  async evaluatePart(request: PartRequest, options: TaskOptions = {}): Promise<Map<string, Uint8Array>> {
    const work = workFor(this.set, request.plan, request.cells);
    return this.#crew.with(
      (thread) => thread.run((call) => runPart(call, work, request), options),
      options.signal,
    );
  }

  /** As `Evaluator.add`. */
  async add(epochId: string, blobs: readonly Uint8Array[], options: TaskOptions = {}): Promise<Uint8Array> {
    const [sum] = await this.#crew.with(
      (thread) => thread.run((call) => call({ kind: 'add', epochId, blobs: [...blobs] }), options),
      options.signal,
    );
    if (!sum) throw new FheError('WORKER_FAILED', 'The worker gave no sum.');
    return sum;
  }

  /** Ends the threads; tasks that wait or run end with DISPOSED. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#crew[Symbol.asyncDispose]();
  }

  /** Runs a part several times at once; the first error cancels the others and is thrown when all have ended. */
  async #together(
    parts: number,
    outer: AbortSignal | undefined,
    part: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const failed = new AbortController();
    const signal = outer ? AbortSignal.any([outer, failed.signal]) : failed.signal;
    let first: { error: unknown } | undefined;
    await Promise.all(
      Array.from({ length: parts }, () =>
        part(signal).catch((error: unknown) => {
          first ??= { error };
          failed.abort();
        }),
      ),
    );
    if (first) throw first.error;
  }
}

function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(cancellation(signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
