/**
 * One evaluation spread over several workers, each of which holds sums over the batches that it was given. In the end
 * they exchange their sums, so that every cell is added up, relinearised and written by one of them.
 */
import { type Work } from './work.js';
import { type Call, type WorkerThread } from './workerThread.js';

/** Runs calls on one worker. */
export type RunOn = <T>(thread: WorkerThread, task: (call: Call) => Promise<T>) => Promise<T>;

let evaluations = 0;

export class SharedEvaluation {
  readonly #work: Work;
  readonly #epochId: string;
  /** Evaluations of one worker are told apart by their number; 0 is that of an evaluator with one worker. */
  readonly #evaluation = ++evaluations;
  readonly #joined = new Set<WorkerThread>();

  constructor(work: Work, epochId: string) {
    this.#work = work;
    this.#epochId = epochId;
  }

  /** Adds a batch to the sums of one worker. */
  async addBatch(thread: WorkerThread, call: Call, columns: [string, Uint8Array][]): Promise<void> {
    await this.#join(thread, call);
    await call({ kind: 'batch', evaluation: this.#evaluation, columns });
  }

  /**
   * The partial results, in the order of the work's cells.
   * @param threads that may help
   */
  async finish(threads: readonly WorkerThread[], run: RunOn): Promise<Map<string, Uint8Array>> {
    const evaluation = this.#evaluation;
    const ids = this.#work.cells.map((cell) => cell.id);
    const owners = [...new Set([...this.#joined, ...threads])].slice(0, ids.length);
    const ownerOf = new Map(ids.map((id, i) => [id, owners[i % owners.length]]));

    const sums = new Map<string, Uint8Array[]>(ids.map((id) => [id, []]));
    await Promise.all(
      [...this.#joined].map(async (thread) => {
        const cells = ids.filter((id) => ownerOf.get(id) !== thread);
        if (cells.length === 0) return;
        const words = await run(thread, (call) => call({ kind: 'drain', evaluation, cells }));
        cells.forEach((id, i) => sums.get(id)?.push(words[i] ?? new Uint8Array()));
      }),
    );

    const results = new Map<string, Uint8Array>();
    await Promise.all(
      owners.map((thread) =>
        run(thread, async (call) => {
          const cells = ids.filter((id) => ownerOf.get(id) === thread);
          await this.#join(thread, call);
          const others = cells.flatMap((id) =>
            (sums.get(id) ?? []).map((words): [string, Uint8Array] => [id, words]),
          );
          if (others.length > 0) await call({ kind: 'absorb', evaluation, sums: others });
          const blobs = await call({ kind: 'finish', evaluation, cells });
          cells.forEach((id, i) => results.set(id, blobs[i] ?? new Uint8Array()));
        }),
      ),
    );
    return new Map(ids.map((id) => [id, results.get(id) ?? new Uint8Array()]));
  }

  /** Lets every worker forget its sums; workers that have ended have done so. */
  async end(): Promise<void> {
    await Promise.allSettled(
      [...this.#joined].map((thread) =>
        thread.run((call) => call({ kind: 'reset', evaluation: this.#evaluation })),
      ),
    );
  }

  async #join(thread: WorkerThread, call: Call): Promise<void> {
    if (this.#joined.has(thread)) return;
    this.#joined.add(thread);
    await call({
      kind: 'begin',
      evaluation: this.#evaluation,
      epochId: this.#epochId,
      work: this.#work,
    });
  }
}
